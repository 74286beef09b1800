import { expect } from 'chai';
import { CIBA_GRANT, DEVICE_CODE_GRANT } from '../../src/clients/deferred-grants.ts';
import { eventually, expectError } from '../support/answers.ts';
import { clientKeyPair } from '../support/assertions.ts';
import { authorize, browser, codeRequest } from '../support/browser.ts';
import { approvals, askUser, cibaClient, decideNewest, poll } from '../support/ciba.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { PUBLIC_CLIENT, register, registeredBy, registrationToken, send, sentBack } from '../support/registration.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

const OPEN = { FEATURES: 'dynamic-registration', REGISTRATION: 'open' };

describe('a client that registers under the name of another (RFC 7591 section 5)', () => {
  const server = suiteServer(OPEN);

  it('is told of at login and consent, with the host that the user is sent to, in English and Korean', async () => {
    const { id } = registeredBy(
      await register(server(), { ...PUBLIC_CLIENT, client_name: 'Your Bank', client_uri: 'https://bank.example' }),
    );
    const user = await server().user();
    for (const [language, words] of [
      ['en', 'nobody has checked its name. It sends you to <bdi>app.example</bdi>'],
      ['ko', '이름은 확인되지 않았습니다. <bdi>app.example</bdi>'],
    ] as const) {
      const tab = browser(server());
      const login = await tab.visit(codeRequest(server(), { id, secret: '' }, { ui_locales: language }).url);
      expect(login.html).to.include('Your Bank').and.include(words);
      const consent = await tab.submit(login, { username: user.username, password: user.password });
      expect(consent.html).to.include('name="decision"').and.include(words);
      // What it names is text: a link on our page would be a recommendation.
      expect(consent.html).to.include('https://bank.example').and.not.include('href="https://bank.example');
    }
  });

  it('is not told of where the operator registered the client', async () => {
    const client = await server().client({ client_name: 'Ours' });
    const login = await browser(server()).visit(codeRequest(server(), client).url);
    expect(login.html).to.include('Ours').and.not.include('registered itself');
  });

  it('puts no markup on the pages', async () => {
    const name = '<b>"Bank"</b><script>';
    const { id } = registeredBy(await register(server(), { ...PUBLIC_CLIENT, client_name: name }));
    const { html } = await browser(server()).visit(codeRequest(server(), { id, secret: '' }).url);
    expect(html).to.include('&lt;b&gt;').and.not.include('<b>"Bank"').and.not.include('<script>');
  });

  for (const name of [
    'Bank\u202egnp',
    'Ba\u200bnk',
    '\u3164',
    `${'x'.repeat(64)} Bank`,
    ' Bank',
    'a  b',
    'Bank\u0000',
    `B${'\u0301'.repeat(9)}ank`,
  ]) {
    it(`is refused where not all of the name is seen: ${JSON.stringify(name)}`, async () => {
      expectError(await register(server(), { ...PUBLIC_CLIENT, client_name: name }), 'invalid_client_metadata');
    });
  }

  it('is asked about anew once it calls itself something else than what was allowed', async () => {
    const client = registeredBy(await register(server(), { ...PUBLIC_CLIENT, client_name: 'Notes' }));
    const credentials = { id: client.id, secret: '' };
    const { tab } = await authorize(server(), credentials, await server().user(), { scope: 'openid' });
    const again = codeRequest(server(), credentials, { scope: 'openid' }).url;
    expect((await tab.visit(again)).url.searchParams.has('code')).to.equal(true);
    expect((await send(server(), 'PUT', client.uri, { ...sentBack(client.body), client_name: 'Your Bank' }, client.token)).status).to.equal(
      200,
    );
    expect((await tab.visit(again)).html)
      .to.include('Your Bank')
      .and.include('name="decision"');
  });

  it('never goes without consent, however often it registers', async () => {
    expectError(await register(server(), { ...PUBLIC_CLIENT, skip_consent: true }), 'invalid_client_metadata');
  });
});

describe('redirect URIs of clients that register themselves (RFC 9700 section 4.1)', () => {
  const server = suiteServer(OPEN);

  for (const uri of [
    'javascript:alert(1)',
    'data:text/html,x',
    'file:///etc/passwd',
    'vbscript:x',
    'about:blank',
    'blob:https://app.example/1',
    'http://app.example/callback',
    'http://localhost.evil.example/callback',
    'http://127.0.0.1.evil.example/',
    'http://127.1/callback',
    'http://2130706433/',
    'https://user@app.example/callback',
    'https://login.example@evil.example/',
    'https://app.example/callback#fragment',
    'https://app.example/#',
    'https://APP.example/callback',
    'https://app.example:443/callback',
    'https://b%C3%A4nk.example/',
    'https://bänk.example/',
    'https://app.example./callback',
    'https://app.example\\@evil.example/',
    'https:/app.example/',
    'https:app.example',
    'https://app.example/a/../callback',
    'https://app.example/%2e%2e/callback',
    'https://app.example/call*back',
    'https://*.app.example/callback',
    'https://app.example/callback?code=1',
    'https://0x7f.1/callback',
    'https://',
    '//app.example/callback',
    '/callback',
    'com.example.app:/callback',
    'myapp://callback',
    ' https://app.example/callback',
    'https://app.example/call\tback',
    'https://app.example/call\nback',
  ]) {
    it(`are refused: ${JSON.stringify(uri)}`, async () => {
      const { status, body } = await register(server(), { ...PUBLIC_CLIENT, redirect_uris: [REDIRECT_URI, uri] });
      expect(status).to.equal(400);
      expect(body.error).to.be.oneOf(['invalid_redirect_uri', 'invalid_client_metadata']);
      const { id, uri: own, token, body: good } = registeredBy(await register(server(), PUBLIC_CLIENT));
      const changed = { ...sentBack(good), redirect_uris: [uri] };
      expect((await send(server(), 'PUT', own, changed, token)).status).to.equal(400);
      expect((await server().repositories.clientStore.find(id))?.metadata.redirect_uris).to.deep.equal([REDIRECT_URI]);
    });
  }

  for (const [type, uri] of [
    [undefined, 'https://app.example/callback?tenant=1'],
    [undefined, 'https://app.example'],
    [undefined, 'https://app.example:8443/callback'],
    [undefined, 'https://xn--bnk-qla.example/callback'],
    [undefined, 'http://127.0.0.1/callback'],
    [undefined, 'http://127.0.0.1:33418/'],
    [undefined, 'http://localhost:3000/callback'],
    ['native', 'http://[::1]:49152/callback'],
    ['native', 'com.example.app:/callback'],
  ] as const) {
    it(`are taken: ${uri} of ${type ?? 'no type'}`, async () => {
      const metadata = { ...PUBLIC_CLIENT, redirect_uris: [uri], ...(type === undefined ? {} : { application_type: type }) };
      expect((await register(server(), metadata)).status).to.equal(201);
    });
  }

  it('hold for the way back from a logout, too', async () => {
    for (const uri of ['https://user@app.example/', 'com.example.app:/out', 'https://APP.example/']) {
      expectError(await register(server(), { ...PUBLIC_CLIENT, post_logout_redirect_uris: [uri] }), 'invalid_client_metadata');
    }
  });
});

describe('server-side request forgery by a client that registers itself', () => {
  const MEMBERS = ['jwks_uri', 'sector_identifier_uri', 'backchannel_logout_uri', 'client_uri', 'logo_uri', 'policy_uri', 'tos_uri'];
  const server = suiteServer(OPEN);

  for (const member of MEMBERS) {
    it(`does not begin with ${member}: neither schemes nor addresses inside are taken`, async () => {
      for (const uri of [
        'http://app.example/',
        'ftp://app.example/',
        'file:///etc/passwd',
        'data:application/json,{}',
        'javascript:alert(1)',
        'https://user:password@app.example/',
        'https://app.example/#x',
        'https://127.0.0.1/',
        'https://127.1/',
        'https://0x7f000001/',
        'https://[::1]/',
        'https://[::ffff:127.0.0.1]/',
        'https://10.0.0.1/',
        'https://192.168.1.1/',
        'https://169.254.169.254/latest/meta-data/',
        'https://[fd00::1]/',
        'https://localhost/',
        'https://localhost./',
        'https://database/',
        'https://printer.local/',
        'https://metadata.google.internal/',
        'https://router.home.arpa/',
      ]) {
        const answer = await register(server(), { ...PUBLIC_CLIENT, [member]: uri });
        expectError(answer, 'invalid_client_metadata');
        expect(answer.body.error_description).to.match(new RegExp(`^${member}: `));
      }
    });
  }

  it('fetches nothing that is only shown', async () => {
    const elsewhere = await inside(200);
    const origin = elsewhere.url;
    const metadata = { ...PUBLIC_CLIENT, logo_uri: `${origin}/logo`, client_uri: origin, policy_uri: origin, tos_uri: origin };
    expectError(await register(server(), metadata), 'invalid_client_metadata');
    expect(elsewhere.requests).to.deep.equal([]);
    await elsewhere.close();
  });
});

describe('what a registration tells of the network that the server is in', () => {
  const server = suiteServer({ ...OPEN, OUTBOUND_PRIVATE_ADDRESSES: 'on' });

  it('is the same for a host that is not there, a port that is closed, and an answer that is no document', async () => {
    const missing = await inside(404);
    const redirecting = await inside(302);
    const closed = await inside(200);
    await closed.close();
    const told = new Set<unknown>();
    for (const uri of [missing.url, redirecting.url, closed.url, 'https://nowhere.invalid']) {
      const metadata = { ...PUBLIC_CLIENT, subject_type: 'pairwise', sector_identifier_uri: `${uri}/sector` };
      const answer = await register(server(), metadata);
      expectError(answer, 'invalid_client_metadata');
      told.add(answer.body.error_description);
    }
    expect([...told]).to.have.length(1);
    expect([missing.requests, redirecting.requests]).to.deep.equal([['/sector'], ['/sector']]);
    await missing.close();
    await redirecting.close();
  });
});

describe('registrations with addresses that never answer', () => {
  const server = suiteServer({ ...OPEN, OUTBOUND_PRIVATE_ADDRESSES: 'on' });

  it('wait four at a time for one host: more are told at once to come again, and others go on', async () => {
    const tarpit = await startKeyServer();
    tarpit.answer(() => undefined);
    const sector = { ...PUBLIC_CLIENT, subject_type: 'pairwise', sector_identifier_uri: `${tarpit.url}/sector` };
    const waiting = Promise.all(Array.from({ length: 4 }, () => register(server(), sector)));
    await eventually(async () => {
      expect(tarpit.requests).to.have.length(4);
    });
    expectError(await register(server(), sector), 'temporarily_unavailable', 503);
    expect((await register(server(), PUBLIC_CLIENT)).status).to.equal(201);
    expect(tarpit.requests).to.have.length(4);
    tarpit.hangUp();
    (await waiting).forEach((answer) => expectError(answer, 'invalid_client_metadata'));
    await tarpit.close();
    expect(await server().repositories.clientStore.list({ limit: 10 })).to.have.length(1);
  });
});

describe('a client that registers itself for more than it may have', () => {
  const server = suiteServer({
    ...OPEN,
    FEATURES: `${OPEN.FEATURES},id-jag`,
    SELF_REGISTERED_SCOPE: 'openid api:read',
    SELF_REGISTERED_RESOURCES: 'https://api.example',
  });

  for (const more of [
    { skip_consent: true },
    { require_pkce: false, token_endpoint_auth_method: 'client_secret_basic' },
    { refresh_token_rotation: false, token_endpoint_auth_method: 'client_secret_basic' },
    { first_party: true, token_endpoint_auth_method: 'client_secret_basic' },
    { token_exchange: { may_act_for: ['x'] }, token_endpoint_auth_method: 'client_secret_basic' },
    {
      id_jag: [{ audience: 'https://chat.example', client_id: 'x', scope: 'a' }],
      grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:token-exchange'],
      token_endpoint_auth_method: 'client_secret_basic',
    },
    { access_token_ttl: 1 },
    { id_token_ttl: 1 },
    { refresh_token_idle_ttl: 86_400 * 365 },
    { refresh_token_absolute_ttl: 0 },
    { access_token_claims: { role: 'admin' } },
    { protected_resources: ['https://api.example'] },
    { authorization_details_types: ['payment'] },
    { access_token_signed_response_alg: 'RS256' },
    { client_assertion_legacy_audience: true, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [clientKeyPair('ES256').jwk] } },
    { scope: 'openid api:write' },
    { scope: 'ssf.manage' },
    { allowed_resources: ['https://other.example'] },
    { grant_types: ['client_credentials'], token_endpoint_auth_method: 'client_secret_basic', response_types: [] },
    { contacts: Array.from({ length: 9 }, () => 'x'.repeat(2000)) },
  ]) {
    it(`is refused, at registration and by PUT: ${JSON.stringify(more).slice(0, 80)}`, async () => {
      const answer = await register(server(), { ...PUBLIC_CLIENT, ...more });
      expectError(answer, 'invalid_client_metadata');
      const [member = ''] = Object.keys(more);
      expect(answer.body.error_description).to.match(new RegExp(`^(?:${member}: |The metadata is longer)`));
      const { id, uri, token, body } = registeredBy(await register(server(), { ...PUBLIC_CLIENT, ...authenticationOf(more) }));
      const before = (await server().repositories.clientStore.find(id))?.metadata;
      const { client_secret: _, ...whole } = sentBack(body);
      expectError(await send(server(), 'PUT', uri, { ...whole, ...more }, token), 'invalid_client_metadata');
      expect((await server().repositories.clientStore.find(id))?.metadata).to.deep.equal(before);
    });
  }

  it('has all that it may have when it asks for nothing', async () => {
    const { body } = await register(server(), PUBLIC_CLIENT);
    expect(body).to.deep.include({ scope: 'openid api:read', allowed_resources: ['https://api.example'] });
  });

  it('has no more by a token than the token says, and keeps that at a change', async () => {
    const token = await registrationToken(server(), { scope: ['api:write'] });
    const client = registeredBy(await register(server(), { ...PUBLIC_CLIENT, scope: 'api:read api:write' }, token));
    const changed = { ...sentBack(client.body), scope: 'api:write' };
    const next = registeredBy(await send(server(), 'PUT', client.uri, changed, client.token));
    expectError(await send(server(), 'PUT', client.uri, { ...changed, scope: 'api:admin' }, next.token), 'invalid_client_metadata');
  });

  it('does not keep what the operator gave it when it sends it itself', async () => {
    const client = registeredBy(await register(server(), PUBLIC_CLIENT));
    const { client_id: _, ...metadata } = sentBack(client.body);
    await server().registration.update(client.id, { ...metadata, skip_consent: true });
    expectError(
      await send(server(), 'PUT', client.uri, { ...sentBack(client.body), skip_consent: true }, client.token),
      'invalid_client_metadata',
    );
  });
});

describe('a registration access token in the wrong hands', () => {
  const server = suiteServer(OPEN);
  const jwks = { keys: [clientKeyPair('ES256').jwk] };

  for (const [what, strong, weak] of [
    [
      'authentication by a key to a secret',
      { token_endpoint_auth_method: 'private_key_jwt', jwks },
      { token_endpoint_auth_method: 'client_secret_basic' },
    ],
    ['authentication to none', { token_endpoint_auth_method: 'client_secret_basic' }, { token_endpoint_auth_method: 'none' }],
    [
      'a profile to none',
      { token_endpoint_auth_method: 'private_key_jwt', jwks, profile: 'fapi2' },
      { profile: undefined, refresh_token_rotation: true },
    ],
    ['bound tokens to bearer tokens', { dpop_bound_access_tokens: true }, { dpop_bound_access_tokens: false }],
    ['pushed requests to any', { require_pushed_authorization_requests: true }, { require_pushed_authorization_requests: undefined }],
    ['signed requests to any', { require_signed_request_object: true, jwks }, { require_signed_request_object: false }],
  ] as const) {
    it(`does not weaken ${what}`, async () => {
      const client = registeredBy(await register(server(), { ...PUBLIC_CLIENT, ...strong }));
      const before = (await server().repositories.clientStore.find(client.id))?.metadata;
      const { client_secret: _, ...whole } = sentBack(client.body);
      expectError(await send(server(), 'PUT', client.uri, { ...whole, ...weak }, client.token), 'invalid_client_metadata');
      expect((await server().repositories.clientStore.find(client.id))?.metadata).to.deep.equal(before);
    });
  }
});

describe('a client that registers itself and asks users in the back channel (CIBA)', () => {
  const server = suiteServer({ FEATURES: 'dynamic-registration,ciba' });
  const jwks = { keys: [clientKeyPair('ES256').jwk] };
  const metadata = { client_name: 'Your Bank', grant_types: [CIBA_GRANT], backchannel_token_delivery_mode: 'poll' };
  const token = (grantTypes: readonly string[] = [CIBA_GRANT]) => registrationToken(server(), { grantTypes, uses: 9 });

  it('needs the word of the operator, a token that says so, and then asks', async () => {
    expectError(await register(server(), metadata, await token([])), 'invalid_client_metadata');
    const { body } = await register(server(), metadata, await token());
    const client = { id: String(body.client_id), secret: String(body.client_secret) };
    const user = await server().user();
    const asked = await askUser(server(), client, user, { scope: 'openid' });
    await decideNewest(server(), user);
    expect((await poll(server(), client, asked.auth_req_id)).status).to.equal(200);
  });

  it('is told of on the page of what waits, too: nobody has checked its name', async () => {
    const { body } = await register(server(), metadata, await token());
    const user = await server().user();
    await askUser(server(), { id: String(body.client_id), secret: String(body.client_secret) }, user, { scope: 'openid' });
    const ours = await cibaClient(server(), { client_name: 'Ours' });
    const tab = browser(server());
    expect((await approvals(server(), user, tab)).html)
      .to.include('Your Bank')
      .and.include('nobody has checked its name');
    await decideNewest(server(), user, 'deny', tab);
    await askUser(server(), ours, user);
    expect((await approvals(server(), user, tab)).html)
      .to.include('Ours')
      .and.not.include('nobody has checked its name');
  });

  it('is told of decisions at no address inside', async () => {
    for (const host of ['127.0.0.1', 'localhost', 'printer.local', '10.0.0.1', '[::1]']) {
      const ping = { backchannel_token_delivery_mode: 'ping', backchannel_client_notification_endpoint: `https://${host}/told` };
      expectError(await register(server(), { ...metadata, ...ping }, await token()), 'invalid_client_metadata');
    }
  });

  it('does not go back to requests that it does not sign', async () => {
    const signed = { ...metadata, jwks, backchannel_authentication_request_signing_alg: 'ES256' };
    const client = registeredBy(await register(server(), signed, await token()));
    const { client_secret: _, backchannel_authentication_request_signing_alg: __, ...weak } = sentBack(client.body);
    expectError(await send(server(), 'PUT', client.uri, weak, client.token), 'invalid_client_metadata');
  });
});

describe('a client that registers itself into the sector of others (CIBA section 4, OpenID Connect Core section 8.1)', () => {
  const server = suiteServer({ FEATURES: 'dynamic-registration,ciba', OUTBOUND_PRIVATE_ADDRESSES: 'on' });
  const theirs = 'https://victim.example/keys';
  let documents: KeyServer;
  before(async () => {
    documents = await startKeyServer();
    documents.answer((request, response) => {
      const body = request.url === '/sector' ? [REDIRECT_URI, theirs] : { keys: [] };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  after(() => documents.close());

  for (const grant of [CIBA_GRANT, DEVICE_CODE_GRANT]) {
    const mode = grant === CIBA_GRANT ? { backchannel_token_delivery_mode: 'poll' } : {};
    const pairwise = { ...mode, grant_types: [grant], subject_type: 'pairwise' };
    const byKey = { ...pairwise, token_endpoint_auth_method: 'private_key_jwt' };
    const attempt = async (more: object) =>
      register(server(), { ...pairwise, ...more }, await registrationToken(server(), { grantTypes: [grant] }));

    it(`is refused where it shows no key of its own: ${grant}`, async () => {
      const sector_identifier_uri = `${documents.url}/sector`;
      for (const more of [
        { sector_identifier_uri },
        { sector_identifier_uri, jwks_uri: theirs },
        { jwks_uri: theirs },
        { grant_types: ['authorization_code', grant], redirect_uris: [REDIRECT_URI] },
        { ...byKey, sector_identifier_uri, jwks: { keys: [clientKeyPair('ES256').jwk] } },
      ]) {
        expectError(await attempt(more), 'invalid_client_metadata');
      }
    });

    it(`is refused where its keys are not in the document of the sector, or on another host than its redirect URIs: ${grant}`, async () => {
      const jwks_uri = `${documents.url}/keys`;
      const listed = await attempt({ ...byKey, jwks_uri, sector_identifier_uri: `${documents.url}/sector` });
      expectError(listed, 'invalid_client_metadata');
      expect(listed.body.error_description).to.include('does not list');
      const elsewhere = { grant_types: ['authorization_code', grant], redirect_uris: [REDIRECT_URI], jwks_uri };
      expectError(await attempt({ ...byKey, ...elsewhere }), 'invalid_client_metadata');
    });

    it(`is of the sector of its keys, or of the one whose document has them: ${grant}`, async () => {
      for (const more of [{}, { sector_identifier_uri: `${documents.url}/sector` }]) {
        expect((await attempt({ ...byKey, jwks_uri: theirs, ...more })).status).to.equal(201);
      }
    });
  }
});

describe('mass registration', () => {
  describe('from one address', () => {
    const server = suiteServer({ ...OPEN, RATE_LIMITS: 'on' });

    it('is answered 429 after sixty in a row, with the time to come back, and goes on after it', async () => {
      const statuses: number[] = [];
      for (let i = 0; i < 61; i++) {
        statuses.push((await register(server(), { redirect_uris: [] })).status);
      }
      expect(new Set(statuses.slice(0, 60))).to.deep.equal(new Set([400]));
      const refused = await register(server(), PUBLIC_CLIENT);
      expectError(refused, 'temporarily_unavailable', 429);
      expect(await server().repositories.clientStore.list({ limit: 10 })).to.deep.equal([]);
      server().clock.advance(Number(refused.headers.get('retry-after')));
      expect((await register(server(), PUBLIC_CLIENT)).status).to.equal(201);
    });
  });

  describe('with one initial access token', () => {
    const server = suiteServer({ FEATURES: 'dynamic-registration', RATE_LIMITS: 'on' });

    it('is counted by the token, whatever the address', async () => {
      const token = await registrationToken(server(), { uses: 1000 });
      const ratelimit = (await register(server(), PUBLIC_CLIENT, token)).headers.get('ratelimit');
      expect(ratelimit).to.match(/^"registration-token";r=99;/);
    });
  });

  describe('from everywhere', () => {
    const server = suiteServer({ ...OPEN, REGISTERED_CLIENTS_MAX: '3' });

    it('ends where there are as many as the operator allows; with a token it goes on', async () => {
      for (let i = 0; i < 3; i++) {
        expect((await register(server(), PUBLIC_CLIENT)).status).to.equal(201);
      }
      const full = await register(server(), PUBLIC_CLIENT);
      expectError(full, 'temporarily_unavailable', 503);
      expect(full.headers.get('retry-after')).to.equal('3600');
      expect(await server().repositories.clientStore.list({ limit: 10 })).to.have.length(3);
      expect((await register(server(), PUBLIC_CLIENT, await registrationToken(server()))).status).to.equal(201);
    });
  });
});

/** A server inside, that answers so. */
async function inside(status: number): Promise<KeyServer> {
  const server = await startKeyServer();
  server.answer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/json', location: 'https://app.example/' }).end('[]');
  });
  return server;
}

/** The way to authenticate that a change is about, so that the change itself is what is refused. */
function authenticationOf(more: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { token_endpoint_auth_method: method, jwks } = more;
  return method === undefined ? {} : { token_endpoint_auth_method: method, ...(jwks === undefined ? {} : { jwks }) };
}
