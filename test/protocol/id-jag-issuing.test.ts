import { expect } from 'chai';
import { type Answer, answerOf, expectError, readIdToken } from '../support/answers.ts';
import { logIn, refresh, type TokenBody } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { ACCOUNTS, PAYMENT, payment, registerDetailTypes } from '../support/detail-types.ts';
import { proofKey } from '../support/dpop.ts';
import { CHAT, CHAT_POLICY, ID_JAG, MESSAGES, REFRESH_TOKEN, readIdJag, requestIdJag, wikiWith } from '../support/id-jag.ts';
import { suiteServer } from '../support/suite-server.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';
import { ACCESS_TOKEN, exchangeRepeating, TOKEN_EXCHANGE } from '../support/token-exchange.ts';

const FILES = 'https://api.chat.example/files';

onEachDatabase('giving out ID-JAGs (draft-ietf-oauth-identity-assertion-authz-grant-03 section 4.3) with FEATURES=id-jag', (database) => {
  let server: TestServer;
  let user: TestUser;
  let wiki: TestClient;
  before(async () => {
    server = await startTestServer(await database.create(), { FEATURES: 'id-jag', SIGNING_ALGS: 'ES256,RS256' });
    await registerDetailTypes(server);
    user = await server.user({ email: 'ada@acme.example', profile: { email_verified: true } });
    wiki = await server.client(wikiWith());
  });
  after(() => server.close());

  const tokensOf = (client = wiki, scope = 'openid'): Promise<TokenBody> => logIn(server, client, user, { scope });
  const idTokenOf = async (client = wiki, scope = 'openid'): Promise<string> => String((await tokensOf(client, scope)).id_token);
  async function claimsOf(answer: Promise<Answer>, audience = CHAT): Promise<Readonly<Record<string, unknown>>> {
    const { status, body } = await answer;
    expect(status, JSON.stringify(body)).to.equal(200);
    return (await readIdJag(server, body['access_token'], audience)).claims;
  }

  it('is announced (section 7.1)', async () => {
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
      const { body } = await answerOf(server.get(path));
      expect(body['identity_chaining_requested_token_types_supported']).to.deep.equal([ID_JAG]);
      expect(body['grant_types_supported']).to.include(TOKEN_EXCHANGE);
    }
  });

  it('answers with a JWT that is no access token, and with no refresh token (section 4.3.3)', async () => {
    const { status, headers, body } = await requestIdJag(server, wiki, await idTokenOf(), { scope: 'chat.read', resource: MESSAGES });
    const { access_token: jwt, ...others } = body;
    expect({ status, cache: headers.get('cache-control') }).to.deep.equal({ status: 200, cache: 'no-store' });
    expect(others).to.deep.equal({ issued_token_type: ID_JAG, token_type: 'N_A', expires_in: 300, scope: 'chat.read' });
    expect((await readIdJag(server, jwt)).header).to.include({ typ: 'oauth-id-jag+jwt', alg: 'RS256' });
  });

  it('says who logged in and how, for which server, and what its client is called there (section 3.1)', async () => {
    const idToken = await idTokenOf();
    const login = (await readIdToken(server, wiki, idToken)).claims;
    const { jti, ...claims } = await claimsOf(requestIdJag(server, wiki, idToken, { scope: 'chat.read', resource: MESSAGES }));
    expect(claims).to.deep.equal({
      iss: server.issuer,
      sub: user.id,
      aud: CHAT,
      client_id: 'wiki-at-chat',
      exp: server.clock.now() + 300,
      iat: server.clock.now(),
      scope: 'chat.read',
      resource: MESSAGES,
      auth_time: login['auth_time'],
      acr: login['acr'],
      amr: login['amr'],
    });
    expect(jti).to.be.a('string');
    expect((await claimsOf(requestIdJag(server, wiki, idToken))).jti).not.to.equal(jti);
  });

  it('says all that the entry allows where the request says less, so that it is never for more (section 4.3.2)', async () => {
    expect(await claimsOf(requestIdJag(server, wiki, await idTokenOf()))).to.deep.include({ scope: CHAT_POLICY.scope, resource: MESSAGES });
  });

  it('takes the first entry for that server that has all the resources', async () => {
    const client = await server.client(
      wikiWith([CHAT_POLICY, { ...CHAT_POLICY, client_id: 'wiki-files', scope: 'files.read', resources: [FILES, MESSAGES] }]),
    );
    const token = await idTokenOf(client);
    expect(await claimsOf(requestIdJag(server, client, token, { resource: MESSAGES }))).to.include({ client_id: 'wiki-at-chat' });
    expect(await claimsOf(requestIdJag(server, client, token, { resource: FILES }))).to.include({
      client_id: 'wiki-files',
      scope: 'files.read',
    });
    const both = Object.entries({
      grant_type: TOKEN_EXCHANGE,
      requested_token_type: ID_JAG,
      audience: CHAT,
      subject_token: token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:id_token',
    });
    const answer = exchangeRepeating(server, client, [...both, ['resource', FILES], ['resource', MESSAGES]]);
    expect(await claimsOf(answer)).to.deep.include({ client_id: 'wiki-files', resource: [FILES, MESSAGES] });
  });

  for (const [what, changes, error] of [
    ['no audience', { audience: undefined }, 'invalid_request'],
    ['no subject_token', { subject_token: undefined }, 'invalid_request'],
    ['no subject_token_type', { subject_token_type: undefined }, 'invalid_request'],
    ['an actor_token', { actor_token: 'x', actor_token_type: ACCESS_TOKEN }, 'invalid_request'],
    ['an actor_token_type alone', { actor_token_type: ACCESS_TOKEN }, 'invalid_request'],
    ['a scope that is none', { scope: 'a"b' }, 'invalid_scope'],
    ['details that are none', { authorization_details: 'x' }, 'invalid_authorization_details'],
  ] as const) {
    it(`is refused with ${what}`, async () => {
      expectError(await requestIdJag(server, wiki, await idTokenOf(), changes), error);
    });
  }

  it('is for one audience', async () => {
    const other = 'https://other.example';
    const client = await server.client(wikiWith([CHAT_POLICY, { ...CHAT_POLICY, audience: other }]));
    const form = { grant_type: TOKEN_EXCHANGE, requested_token_type: ID_JAG, subject_token: await idTokenOf(client) };
    const parameters = Object.entries({ ...form, subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' });
    expectError(await exchangeRepeating(server, client, [...parameters, ['audience', CHAT], ['audience', other]]), 'invalid_request');
    expect((await exchangeRepeating(server, client, [...parameters, ['audience', other]])).status).to.equal(200);
  });

  it('has authorization_details of types that the entry allows, and no scope unless that is asked for too (RFC 9396)', async () => {
    const types = { authorization_details_types: [PAYMENT.type, ACCOUNTS.type] };
    const client = await server.client(wikiWith([{ ...CHAT_POLICY, authorization_details_types: [PAYMENT.type] }], types));
    const token = await idTokenOf(client);
    const details = [payment('1.00')];
    const asking = { authorization_details: JSON.stringify(details) };
    const { body } = await requestIdJag(server, client, token, asking);
    expect(body).to.deep.include({ authorization_details: details }).and.not.to.have.property('scope');
    const { claims } = await readIdJag(server, body['access_token']);
    expect(claims).to.deep.include({ authorization_details: details }).and.not.to.have.property('scope');
    expect(await claimsOf(requestIdJag(server, client, token, { ...asking, scope: 'chat.read' }))).to.include({ scope: 'chat.read' });
    for (const wrong of [
      [{ type: ACCOUNTS.type }],
      [...details, { type: ACCOUNTS.type }],
      [{ type: 'unknown' }],
      [{ type: PAYMENT.type }],
    ]) {
      expectError(
        await requestIdJag(server, client, token, { authorization_details: JSON.stringify(wrong) }),
        'invalid_authorization_details',
      );
    }
    // Somewhere else than the resource: nothing of it is left, and an ID-JAG for nothing would be one for everything.
    const elsewhere = [payment('1.00', { locations: ['https://bank.example/'] })];
    expectError(
      await requestIdJag(server, client, token, { authorization_details: JSON.stringify(elsewhere), resource: MESSAGES }),
      'invalid_scope',
    );
  });

  it('names the user as ID tokens for that server do, where that is a client with pairwise subjects (sections 3.1 and 5)', async () => {
    const redirect_uri = `${CHAT}/callback`;
    const ofChat = { redirect_uris: [redirect_uri], subject_type: 'pairwise', id_token_signed_response_alg: 'ES256' };
    const chat = await server.client({ ...ofChat, skip_consent: true });
    const client = await server.client(wikiWith([{ ...CHAT_POLICY, relying_party: chat.id }], { subject_type: 'pairwise' }));
    const there = (await readIdToken(server, chat, (await logIn(server, chat, user, { scope: 'openid', redirect_uri })).id_token)).claims
      .sub;
    const here = (await readIdToken(server, client, await idTokenOf(client))).claims.sub;
    const { body } = await requestIdJag(server, client, await idTokenOf(client));
    const { header, claims } = await readIdJag(server, body['access_token']);
    expect(claims.sub).to.equal(there);
    expect([here, user.id]).not.to.include(there);
    expect(header.alg).to.equal('ES256');
    const gone = await server.client(wikiWith([{ ...CHAT_POLICY, relying_party: 'nobody' }]));
    expectError(await requestIdJag(server, gone, await idTokenOf(gone)), 'invalid_target');
  });

  it('tells the email address where the entry says so and the client knows it', async () => {
    const told = await server.client(wikiWith([{ ...CHAT_POLICY, email: true }]));
    const knowing = await idTokenOf(told, 'openid email');
    expect(await claimsOf(requestIdJag(server, told, knowing))).to.include({ email: 'ada@acme.example', email_verified: true });
    expect(await claimsOf(requestIdJag(server, told, await idTokenOf(told)))).not.to.have.any.keys('email', 'email_verified');
    expect(await claimsOf(requestIdJag(server, wiki, await idTokenOf(wiki, 'openid email')))).not.to.have.any.keys('email', 'name');
  });

  it('is bound to the key of a DPoP proof, and to none without (section 8.6.1)', async () => {
    const key = await proofKey();
    const token = await idTokenOf();
    const bound = await requestIdJag(server, wiki, token, {}, key);
    expect(bound.body['token_type']).to.equal('N_A');
    expect(await claimsOf(Promise.resolve(bound))).to.deep.include({ cnf: { jkt: key.thumbprint } });
    expect(await claimsOf(requestIdJag(server, wiki, token))).not.to.have.property('cnf');
  });

  it('comes for a refresh token of a login too, which stays as good as it was (sections 4.3 and 4.3.2)', async () => {
    const { refresh_token: token } = await tokensOf();
    const asking = { subject_token_type: REFRESH_TOKEN };
    for (let time = 0; time < 2; time++) {
      expect(await claimsOf(requestIdJag(server, wiki, token, asking))).to.include({ sub: user.id, client_id: 'wiki-at-chat' });
    }
    const first = await refresh(server, wiki, token);
    expect(first.status).to.equal(200);
    expect((await requestIdJag(server, wiki, first.body.refresh_token, asking)).status).to.equal(200);
    const plain = await server.client(wikiWith([CHAT_POLICY], { scope: 'openid api:read' }));
    const noLogin = await tokensOf(plain, 'api:read');
    expectError(await requestIdJag(server, plain, noLogin.refresh_token, asking), 'invalid_request');
  });

  it('is told to the audit trail: who, for whom, at what', async () => {
    const idToken = await idTokenOf();
    const { jti } = await claimsOf(requestIdJag(server, wiki, idToken, { scope: 'chat.read' }));
    const { event, fields } = server.events.at(-1) ?? {};
    const { requestId, ...others } = fields ?? {};
    expect(event).to.equal('id_jag_issued');
    expect(requestId).to.be.a('string');
    const [grant] = await server.repositories.grants.list({ userId: user.id, clientId: wiki.id }, { limit: 1 });
    expect(others).to.deep.equal({
      clientId: wiki.id,
      userId: user.id,
      grantId: grant?.id,
      jti,
      audience: CHAT,
      clientIdThere: 'wiki-at-chat',
      scope: 'chat.read',
      resource: MESSAGES,
    });
  });

  it('leaves other exchanges and other ID tokens as they are', async () => {
    const plain = await server.client({ skip_consent: true });
    const { claims } = await readIdToken(server, plain, (await tokensOf(plain)).id_token);
    expect(claims).not.to.have.property('grant_id');
    // No entry of token_exchange: the client has ID-JAGs alone.
    const { access_token: token } = await tokensOf();
    const answer = await requestIdJag(server, wiki, token, { requested_token_type: undefined, subject_token_type: ACCESS_TOKEN });
    expectError(answer, 'invalid_request');
  });
});

describe('requests for ID-JAGs', () => {
  const limited = suiteServer({ FEATURES: 'id-jag', RATE_LIMITS: 'on' });
  it('count as the user’s, as other exchanges do', async () => {
    const client = await limited().client(wikiWith());
    const token = String((await logIn(limited(), client, await limited().user(), { scope: 'openid' })).id_token);
    const answers: Answer[] = [];
    for (let time = 0; time < 200 && answers.at(-1)?.status !== 429; time++) {
      answers.push(await requestIdJag(limited(), client, token));
    }
    expect(answers.at(-1)?.status).to.equal(429);
    expect(limited().events.at(-1)).to.deep.include({ event: 'rate_limited' });
  });

  const off = suiteServer();
  it('are refused while the feature is off, and nobody is registered for them', async () => {
    const metadata = (await answerOf(off().get('/.well-known/oauth-authorization-server'))).body;
    expect(metadata).not.to.have.property('identity_chaining_requested_token_types_supported');
    expect(await off().client(wikiWith()).catch(String)).to.match(/id_jag: needs the feature id-jag/);
    const client = await off().client({
      grant_types: ['authorization_code', TOKEN_EXCHANGE],
      skip_consent: true,
      token_exchange: [{ resources: [MESSAGES], scope: 'chat.read' }],
    });
    const { id_token: token } = await logIn(off(), client, await off().user(), { scope: 'openid' });
    expectError(await requestIdJag(off(), client, token), 'invalid_request');
  });

  const exchangeOff = suiteServer({ FEATURES: 'id-jag,-token-exchange' });
  it('are not announced without token exchange', async () => {
    const metadata = (await answerOf(exchangeOff().get('/.well-known/oauth-authorization-server'))).body;
    expect(metadata).to.have.property('authorization_grant_profiles_supported');
    expect(metadata).not.to.have.property('identity_chaining_requested_token_types_supported');
  });
});
