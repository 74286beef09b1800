import { expect } from 'chai';
import { type Answer, answerOf, expectError } from '../support/answers.ts';
import { clientKeyPair, signAssertion } from '../support/assertions.ts';
import { browser, logIn, refresh, type TokenBody } from '../support/browser.ts';
import { CHAT, CHAT_POLICY, MESSAGES, REFRESH_TOKEN, readIdJag, requestIdJag, wikiWith } from '../support/id-jag.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';
import { ACCESS_TOKEN, TOKEN_EXCHANGE } from '../support/token-exchange.ts';
import { JWT_BEARER } from '../support/trusted-issuers.ts';

const JWT = 'urn:ietf:params:oauth:token-type:jwt';

/** One answer for every token that is no good, so that nothing is learnt from it. */
function expectNoSubject(answer: Answer): void {
  expectError(answer, 'invalid_request');
  expect(answer.body['error_description']).to.match(/^The subject_token is not valid: /);
}

describe('abuse of the identity provider that gives out ID-JAGs (draft-ietf-oauth-identity-assertion-authz-grant-03 sections 4.3.2 and 8)', () => {
  const server = suiteServer({ FEATURES: 'id-jag' });
  let wiki: TestClient;
  let user: TestUser;
  before(async () => {
    wiki = await server().client(wikiWith());
    user = await server().user();
  });

  const tokensOf = (client = wiki, as = user, scope = 'openid'): Promise<TokenBody> => logIn(server(), client, as, { scope });
  const issued = (): number => server().events.filter(({ event }) => event === 'id_jag_issued').length;

  it('the ID token of another client is none, though its audience and key are ours (section 4.3.2)', async () => {
    const calendar = await server().client(wikiWith());
    const { id_token, refresh_token } = await tokensOf(calendar);
    const before = issued();
    expectNoSubject(await requestIdJag(server(), wiki, id_token));
    expectNoSubject(await requestIdJag(server(), wiki, refresh_token, { subject_token_type: REFRESH_TOKEN }));
    expect(issued()).to.equal(before);
    // Nor was the other client's token burnt by it.
    expect((await refresh(server(), calendar, refresh_token)).status).to.equal(200);
  });

  it('an ID token that was made elsewhere, was changed, or has no signature is none', async () => {
    const { id_token: good = '' } = await tokensOf();
    const [header = '', payload = '', signature = ''] = good.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Readonly<Record<string, unknown>>;
    const changed = Buffer.from(JSON.stringify({ ...claims, exp: Number(claims['exp']) + 9999 })).toString('base64url');
    const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'JWT' })).toString('base64url');
    const foreign = await signAssertion(claims, clientKeyPair('ES256'), { typ: 'JWT' });
    for (const bad of [foreign, `${header}.${changed}.${signature}`, `${none}.${payload}.`, `${header}.${payload}.`, '..', 'x']) {
      expectNoSubject(await requestIdJag(server(), wiki, bad));
    }
  });

  it('another kind of token of ours is none, under any name: access tokens, codes, ID-JAGs, signed userinfo', async () => {
    const signed = await server().client(wikiWith([CHAT_POLICY], { userinfo_signed_response_alg: 'ES256' }));
    const { access_token, id_token, refresh_token } = await tokensOf(signed);
    const idJag = (await requestIdJag(server(), signed, id_token)).body['access_token'];
    const userinfo = await (await server().get('/userinfo', { authorization: `Bearer ${access_token}` })).text();
    for (const token of [access_token, String(idJag), userinfo, refresh_token]) {
      expectNoSubject(await requestIdJag(server(), signed, token));
    }
    for (const token of [access_token, String(id_token), String(idJag)]) {
      expectNoSubject(await requestIdJag(server(), signed, token, { subject_token_type: REFRESH_TOKEN }));
      for (const subject_token_type of [ACCESS_TOKEN, JWT, 'urn:ietf:params:oauth:token-type:saml2']) {
        expectError(await requestIdJag(server(), signed, token, { subject_token_type }), 'invalid_request');
      }
    }
  });

  it('an expired ID token is none, however well it does as a hint', async () => {
    const { id_token } = await tokensOf();
    server().clock.advance(server().config.lifetimes.idTokenSeconds - 1);
    expect((await requestIdJag(server(), wiki, id_token)).status).to.equal(200);
    server().clock.advance(1);
    expectNoSubject(await requestIdJag(server(), wiki, id_token));
  });

  it('who logged out is given none, for ID token or refresh token, unless access while away was allowed', async () => {
    for (const [scope, status] of [
      ['openid', 400],
      ['openid offline_access', 200],
    ] as const) {
      const tab = browser(server());
      const { id_token, refresh_token } = await logIn(server(), wiki, user, { scope }, tab);
      expect((await requestIdJag(server(), wiki, id_token)).status).to.equal(200);
      await tab.visit(`/logout?${new URLSearchParams({ id_token_hint: String(id_token) }).toString()}`);
      expect((await requestIdJag(server(), wiki, id_token)).status).to.equal(status);
      const asking = { subject_token_type: REFRESH_TOKEN };
      expect((await requestIdJag(server(), wiki, refresh_token, asking)).status).to.equal(status);
      // Nor is it had by way of a new ID token, which a grant that outlives the session goes on giving.
      const again = await refresh(server(), wiki, refresh_token);
      expect((await requestIdJag(server(), wiki, again.body.id_token)).status).to.equal(status);
    }
  });

  it('a session that is over by itself is over as well', async () => {
    const { id_token, refresh_token } = await tokensOf();
    server().clock.advance(server().config.lifetimes.sessionIdleSeconds);
    const again = await refresh(server(), wiki, refresh_token);
    for (const token of [id_token, again.body.id_token]) {
      expectNoSubject(await requestIdJag(server(), wiki, token));
    }
  });

  it('a grant that was revoked and a user who was disabled give none, at once', async () => {
    const someone = await server().user();
    const ends: readonly ((tokens: TokenBody) => Promise<unknown>)[] = [
      ({ refresh_token }) => server().post('/revoke', { token: refresh_token }, wiki),
      () => server().repositories.grants.revokeAll({ userId: someone.id }, 'operator', server().clock.now()),
      () => server().repositories.users.disable(someone.id, server().clock.now()),
    ];
    for (const end of ends) {
      const tokens = await tokensOf(wiki, someone, 'openid offline_access');
      expect((await requestIdJag(server(), wiki, tokens.id_token)).status).to.equal(200);
      await end(tokens);
      expectNoSubject(await requestIdJag(server(), wiki, tokens.id_token));
      expectNoSubject(await requestIdJag(server(), wiki, tokens.refresh_token, { subject_token_type: REFRESH_TOKEN }));
    }
  });

  it('an old refresh token that comes back here ends its grant, as at the refresh_token grant', async () => {
    const { id_token, refresh_token: old } = await tokensOf();
    const { refresh_token: next } = (await refresh(server(), wiki, old)).body;
    const last = (await refresh(server(), wiki, next)).body;
    expectNoSubject(await requestIdJag(server(), wiki, old, { subject_token_type: REFRESH_TOKEN }));
    expect(server().events.at(-1)).to.deep.include({ event: 'refresh_token_reuse' });
    expect((await refresh(server(), wiki, last.refresh_token)).status).to.equal(400);
    expectNoSubject(await requestIdJag(server(), wiki, id_token));
  });

  it('an audience, a resource or a scope beyond the entry is refused, and not left out (section 4.3.2)', async () => {
    const { id_token } = await tokensOf();
    const before = issued();
    for (const audience of ['https://mail.example', `${CHAT}/`, CHAT.toUpperCase(), MESSAGES, wiki.id, server().issuer]) {
      expectError(await requestIdJag(server(), wiki, id_token, { audience }), 'invalid_target');
    }
    for (const resource of [`${MESSAGES}/`, 'https://api.chat.example/', CHAT]) {
      expectError(await requestIdJag(server(), wiki, id_token, { resource }), 'invalid_target');
    }
    for (const scope of ['chat.write', `${CHAT_POLICY.scope} chat.write`, 'openid', 'api:read']) {
      expectError(await requestIdJag(server(), wiki, id_token, { scope }), 'invalid_scope');
    }
    expect(issued()).to.equal(before);
  });

  it('this server is no audience, whatever an entry says, and takes none of its own (section 8.3)', async () => {
    const { issuer } = server();
    const selfish = await server().client(
      wikiWith([{ ...CHAT_POLICY, audience: issuer }, CHAT_POLICY], {
        grant_types: ['authorization_code', TOKEN_EXCHANGE, JWT_BEARER],
      }),
    );
    const { id_token } = await tokensOf(selfish);
    expectError(await requestIdJag(server(), selfish, id_token, { audience: issuer }), 'invalid_target');
    const { body } = await requestIdJag(server(), selfish, id_token);
    const form = { grant_type: JWT_BEARER, assertion: String(body['access_token']) };
    expectError(await answerOf(server().post('/token', form, selfish)), 'invalid_grant');
  });

  it('an ID-JAG opens nothing at its own issuer: no userinfo, not active, no hint', async () => {
    const { id_token } = await tokensOf();
    const idJag = String((await requestIdJag(server(), wiki, id_token)).body['access_token']);
    expect((await server().get('/userinfo', { authorization: `Bearer ${idJag}` })).status).to.equal(401);
    expect((await answerOf(server().post('/introspect', { token: idJag }, wiki))).body).to.deep.equal({ active: false });
    expectError(await requestIdJag(server(), wiki, idJag), 'invalid_request');
  });

  it('a public client is neither registered for them nor given any (section 8.1), and nobody without the policy is', async () => {
    const { id_token } = await tokensOf();
    for (const [metadata, problem] of [
      [wikiWith([CHAT_POLICY], { token_endpoint_auth_method: 'none' }), /needs a client that authenticates/],
      [wikiWith([CHAT_POLICY], { grant_types: ['authorization_code'] }), /id_jag: and the grant type/],
    ] as const) {
      expect(await server().client(metadata).catch(String)).to.match(problem);
    }
    // One that became public past the registration, as an older version might have let it.
    const app = await server().client({ token_endpoint_auth_method: 'none', skip_consent: true, grant_types: ['authorization_code'] });
    const record = await server().repositories.clientStore.find(app.id);
    if (record === undefined) {
      throw new Error('the client was registered');
    }
    const metadata = { ...record.metadata, grant_types: ['authorization_code', TOKEN_EXCHANGE], id_jag: [CHAT_POLICY] };
    await server().repositories.clientStore.replace({ ...record, metadata });
    const { id_token: own } = await tokensOf(app);
    expectError(await requestIdJag(server(), app, own), 'unauthorized_client');
    const plain = await server().client({ skip_consent: true });
    expectError(await requestIdJag(server(), plain, id_token), 'unauthorized_client');
    expectError(await requestIdJag(server(), { id: wiki.id, secret: 'wrong' }, id_token), 'invalid_client', 401);
  });

  it('what a deployment adds to tokens does not get into an ID-JAG, and nothing stands in for its claims', async () => {
    const more = { access_token_claims: { tenant: 'other', email: 'root@acme.example' } };
    const client = await server().client(wikiWith([CHAT_POLICY], more));
    const { body } = await requestIdJag(server(), client, (await tokensOf(client)).id_token);
    expect((await readIdJag(server(), body['access_token'])).claims).not.to.have.any.keys('tenant', 'email');
  });
});
