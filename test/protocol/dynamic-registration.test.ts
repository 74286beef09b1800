import { expect } from 'chai';
import { openDatabase } from '../../src/storage/open-database.ts';
import { answerOf, eventually, expectError } from '../support/answers.ts';
import { logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { PUBLIC_CLIENT, register, registeredBy, registrationToken } from '../support/registration.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI, startTestServer, type TestClient, type TestServer } from '../support/test-server.ts';

const DAY = 86_400;
const OPEN = { FEATURES: 'dynamic-registration', REGISTRATION: 'open' };

onEachDatabase('dynamic client registration (RFC 7591)', (database) => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create(), OPEN);
  });
  after(() => server.close());

  it('registers a public client, and answers 201 with all that is registered, not to be kept by a cache (section 3.2.1)', async () => {
    const { status, headers, body } = await register(server, { ...PUBLIC_CLIENT, software_id: 'notes', made_up: 1 });
    expect(status).to.equal(201);
    expect(headers.get('cache-control')).to.equal('no-store');
    expect(headers.get('content-type')).to.equal('application/json');
    expect(body).to.deep.include({ ...PUBLIC_CLIENT, software_id: 'notes', client_id_issued_at: server.clock.now() });
    // Section 2: what is not understood is ignored; section 3.2.1: client_secret_expires_at goes with a secret.
    expect(body).not.to.have.any.keys('made_up', 'client_secret', 'client_secret_expires_at');
    expect(body.scope).to.equal('openid profile email phone address offline_access');
    expect(body.registration_client_uri).to.equal(`${server.issuer}/register/${String(body.client_id)}`);
  });

  it('has the client log a user in and refresh at once, with no scope asked for or with one', async () => {
    const client = { id: registeredBy(await register(server, PUBLIC_CLIENT)).id, secret: '' };
    const user = await server.user();
    for (const scope of [undefined, 'openid profile offline_access']) {
      const tokens = await logIn(server, client, user, { scope });
      const refreshed = await refresh(server, client, tokens.refresh_token);
      expect(refreshed.status).to.equal(200);
    }
  });

  it('gives a confidential client a secret that never expires, and that counts (section 3.2.1)', async () => {
    const { body } = await register(server, { redirect_uris: [REDIRECT_URI], grant_types: ['authorization_code', 'refresh_token'] });
    expect(body).to.deep.include({ token_endpoint_auth_method: 'client_secret_basic', client_secret_expires_at: 0 });
    const client = { id: String(body.client_id), secret: String(body.client_secret) };
    expect((await logIn(server, client, await server.user())).access_token).to.be.a('string');
  });

  it('fills in the defaults of section 2', async () => {
    const { body } = await register(server, { redirect_uris: [REDIRECT_URI] });
    expect(body).to.deep.include({
      token_endpoint_auth_method: 'client_secret_basic',
      grant_types: ['authorization_code'],
      response_types: ['code'],
    });
  });

  it('knows no member by another name: neither by a tag of a language, nor in capitals, nor inherited (section 2.2)', async () => {
    const tagged = { 'client_name#ja': 'メモ', 'redirect_uris#ja': ['https://evil.example/'], 'skip_consent#x': true, 'scope#en': 'admin' };
    const capitals = { Skip_Consent: true, REDIRECT_URIS: ['https://evil.example/'], 'scope ': 'admin' };
    const inherited = JSON.parse('{"__proto__":{"skip_consent":true,"scope":"admin","redirect_uris":["https://evil.example/"]}}') as object;
    const plain = await register(server, { redirect_uris: [REDIRECT_URI] });
    for (const more of [tagged, capitals, inherited]) {
      const { status, body } = await register(server, { redirect_uris: [REDIRECT_URI], ...more });
      expect(status).to.equal(201);
      const stored = (await server.repositories.clientStore.find(String(body.client_id)))?.metadata;
      expect(stored).to.deep.equal((await server.repositories.clientStore.find(String(plain.body.client_id)))?.metadata);
    }
    expectError(await register(server, inherited), 'invalid_redirect_uri');
  });

  it('chooses client_id and client_secret itself, whatever is sent (section 3.2.1)', async () => {
    const chosen = { client_id: 'mine', client_secret: 'x'.repeat(20) + '0123456789abcdef', registration_access_token: 'r' };
    const { body } = await register(server, { redirect_uris: [REDIRECT_URI], ...chosen });
    expect(body.client_id).to.match(/^client-/);
    expect(body.client_secret).not.to.equal(chosen.client_secret);
    expect(body.registration_access_token).not.to.equal('r');
    expect(await server.repositories.clientStore.find('mine')).to.equal(undefined);
  });

  const count = async () => (await server.repositories.clientStore.list({ limit: 1000 })).length;

  for (const [what, metadata, error] of [
    ['a redirect URI that is none', { redirect_uris: ['nowhere'] }, 'invalid_redirect_uri'],
    ['no redirect URI', {}, 'invalid_redirect_uri'],
    ['redirect URIs that are no list', { redirect_uris: REDIRECT_URI }, 'invalid_client_metadata'],
    [
      'both jwks and jwks_uri (section 2)',
      { redirect_uris: [REDIRECT_URI], jwks: { keys: [] }, jwks_uri: 'https://app.example/jwks' },
      'invalid_client_metadata',
    ],
    [
      'response types that contradict the grant types (section 2.1)',
      { redirect_uris: [REDIRECT_URI], response_types: [] },
      'invalid_client_metadata',
    ],
    ['a grant type that is not there', { redirect_uris: [REDIRECT_URI], grant_types: ['password'] }, 'invalid_client_metadata'],
    [
      'an authentication method that is not there',
      { redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'x' },
      'invalid_client_metadata',
    ],
  ] as const) {
    it(`answers ${error} to ${what}, and registers nothing (section 3.2.2)`, async () => {
      const before = await count();
      expectError(await register(server, metadata), error);
      expect(await count()).to.equal(before);
    });
  }

  it('takes JSON objects alone', async () => {
    for (const body of [[], 'text', 1, null]) {
      expectError(await register(server, body), 'invalid_request');
    }
    expectError(await answerOf(server.post('/register', { redirect_uris: REDIRECT_URI })), 'invalid_request', 415);
    const broken = fetch(`${server.issuer}/register`, { method: 'POST', body: '{', headers: { 'content-type': 'application/json' } });
    expectError(await answerOf(broken), 'invalid_request');
  });

  it('announces the endpoint in both documents (RFC 8414 section 2)', async () => {
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
      expect((await answerOf(server.get(path))).body.registration_endpoint).to.equal(`${server.issuer}/register`);
    }
  });

  it('lets scripts of any origin register, without cookies', async () => {
    const preflight = await fetch(`${server.issuer}/register`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' },
    });
    expect(preflight.headers.get('access-control-allow-origin')).to.equal('*');
    expect(preflight.headers.get('access-control-allow-credentials')).to.equal(null);
  });
});

describe('initial access tokens (RFC 7591 section 3)', () => {
  const server = suiteServer({ FEATURES: 'dynamic-registration' });

  it('are needed unless REGISTRATION is open: 401 and how to present one', async () => {
    const answer = await register(server(), PUBLIC_CLIENT);
    expectError(answer, 'invalid_token', 401);
    expect(answer.headers.get('www-authenticate')).to.equal('Bearer realm="registration"');
    expect(await server().repositories.clientStore.list({ limit: 10 })).to.deep.equal([]);
  });

  it('register as many clients as they have uses', async () => {
    const token = await registrationToken(server(), { uses: 2 });
    expect((await register(server(), PUBLIC_CLIENT, token)).status).to.equal(201);
    expect((await register(server(), PUBLIC_CLIENT, token)).status).to.equal(201);
    expectError(await register(server(), PUBLIC_CLIENT, token), 'invalid_token', 401);
  });

  it('keep their use when the metadata is refused', async () => {
    const token = await registrationToken(server());
    expectError(await register(server(), { redirect_uris: [] }, token), 'invalid_redirect_uri');
    expect((await register(server(), PUBLIC_CLIENT, token)).status).to.equal(201);
  });

  it('are refused when they have expired, and all that is none is refused alike', async () => {
    const token = await registrationToken(server(), { seconds: 60 });
    server().clock.advance(60);
    const expired = await register(server(), PUBLIC_CLIENT, token);
    expectError(expired, 'invalid_token', 401);
    for (const other of ['x', `kt_iat_${'A'.repeat(43)}`, token.slice(0, -1)]) {
      const { status, body, headers } = await register(server(), PUBLIC_CLIENT, other);
      expect({ status, body }).to.deep.equal({ status: 401, body: expired.body });
      expect(headers.get('www-authenticate')).to.equal(expired.headers.get('www-authenticate'));
    }
  });

  it('are refused in the URL, and as anything but Bearer', async () => {
    const token = await registrationToken(server());
    const headers = { 'content-type': 'application/json' };
    const body = JSON.stringify(PUBLIC_CLIENT);
    const inUrl = fetch(`${server().issuer}/register?access_token=${token}`, { method: 'POST', headers, body });
    expectError(await answerOf(inUrl), 'invalid_request');
    const asDpop = fetch(`${server().issuer}/register`, { method: 'POST', headers: { ...headers, authorization: `DPoP ${token}` }, body });
    expectError(await answerOf(asDpop), 'invalid_token', 401);
    expect((await register(server(), PUBLIC_CLIENT, token)).status).to.equal(201);
  });

  it('can allow what no client may register otherwise', async () => {
    const API = 'https://api.example';
    const metadata = { grant_types: ['client_credentials'], scope: 'api:read', allowed_resources: [API] };
    expectError(await register(server(), metadata, await registrationToken(server())), 'invalid_client_metadata');
    const token = await registrationToken(server(), { grantTypes: ['client_credentials'], scope: ['api:read'], resources: [API] });
    const { body } = await register(server(), metadata, token);
    const client = { id: String(body.client_id), secret: String(body.client_secret) };
    expect((await server().post('/token', { grant_type: 'client_credentials', resource: API }, client)).status).to.equal(200);
  });

  it('are not stored: a thief of the database has their digests', async () => {
    const token = await registrationToken(server());
    expect(JSON.stringify(await server().repositories.registrationTokens.list())).not.to.include(token.slice(7));
  });
});

describe('dynamic client registration while it is off, as it is by default', () => {
  const server = suiteServer();

  it('has no endpoint and no metadata', async () => {
    expect((await register(server(), PUBLIC_CLIENT)).status).to.equal(404);
    const { body } = await answerOf(server().get('/.well-known/oauth-authorization-server'));
    expect(body).not.to.have.property('registration_endpoint');
  });
});

describe('a client that registered itself and is used', () => {
  const server = suiteServer({ FEATURES: 'dynamic-registration' });

  it('is kept for REGISTERED_CLIENT_UNUSED_TTL from its last token, and then deleted', async () => {
    const token = await registrationToken(server(), { grantTypes: ['client_credentials'], scope: ['api:read'], uses: 2 });
    const metadata = { grant_types: ['client_credentials'], scope: 'api:read' };
    const [used, unused] = [await register(server(), metadata, token), await register(server(), metadata, token)].map(({ body }) => ({
      id: String(body.client_id),
      secret: String(body.client_secret),
    }));
    const exists = async (client: TestClient | undefined) => (await server().repositories.clientStore.find(client?.id ?? '')) !== undefined;
    const dates = async () => {
      const database = await openDatabase(server().config.database);
      try {
        return await database.rows<{ expires_unused_at: number }>(
          'SELECT expires_unused_at FROM client_registrations ORDER BY client_id',
          [],
        );
      } finally {
        await database.close();
      }
    };
    server().clock.advance(29 * DAY);
    expect((await server().post('/token', { grant_type: 'client_credentials' }, used)).status).to.equal(200);
    const kept = server().clock.now() + 31 * DAY;
    await eventually(async () => {
      expect((await dates()).map((row) => row.expires_unused_at)).to.include(kept);
    });
    server().clock.advance(DAY + 1);
    await eventually(async () => {
      expect(await exists(unused)).to.equal(false);
    });
    expect(await exists(used)).to.equal(true);
    server().clock.advance(30 * DAY);
    await eventually(async () => {
      expect(await exists(used)).to.equal(false);
    });
  });
});
