import { expect } from 'chai';
import { trustedIssuerRegistration } from '../../src/trusted-issuers/trusted-issuer-registration.ts';
import { type Answer, answerOf, expectError, readAccessToken } from '../support/answers.ts';
import { browser, logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type ProofKey, proofKey, tokenRequest } from '../support/dpop.ts';
import { REFRESH_TOKEN, requestIdJag, wikiWith } from '../support/id-jag.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';
import { JWT_BEARER } from '../support/trusted-issuers.ts';

const API = 'https://api.chat.example/';

/** The three relationships of section 5: the wiki is a client of both, under two names, and the chat trusts the identity provider. */
onEachDatabase('single sign-on across two servers by ID-JAG (draft-ietf-oauth-identity-assertion-authz-grant-03)', (database) => {
  let idp: TestServer;
  let chat: TestServer;
  let ada: TestUser;
  let adaAtChat: TestUser;
  let wiki: TestClient;
  let wikiAtChat: TestClient;
  before(async () => {
    idp = await startTestServer(await database.create(), { FEATURES: 'id-jag' });
    chat = await startTestServer(await database.create(), { FEATURES: 'id-jag' });
    ada = await idp.user();
    adaAtChat = await chat.user();
    wikiAtChat = await chat.client({
      grant_types: [JWT_BEARER],
      redirect_uris: [],
      scope: 'chat.read chat.write',
      allowed_resources: [API],
    });
    wiki = await idp.client(
      wikiWith([{ audience: chat.issuer, client_id: wikiAtChat.id, scope: 'chat.read chat.history', resources: [API] }]),
    );
    const store = chat.repositories.trustedIssuerStore;
    // Its keys are found by its metadata, as everybody's (OpenID Connect Discovery section 4).
    await trustedIssuerRegistration({ store, ownIssuer: chat.issuer, clock: chat.clock }).create({
      issuer: idp.issuer,
      purposes: ['id-jag'],
      private_addresses: true,
      allowed_clients: [wikiAtChat.id],
      scope: 'chat.read chat.write',
    });
    await store.link({ issuer: idp.issuer, subject: ada.id, userId: adaAtChat.id }, chat.clock.now());
  });
  after(async () => {
    await idp.close();
    await chat.close();
  });

  const idJagFor = async (subject: unknown, changes: Readonly<Record<string, string>> = {}, key?: ProofKey): Promise<string> => {
    const { status, body } = await requestIdJag(idp, wiki, String(subject), { audience: chat.issuer, ...changes }, key);
    expect(status, JSON.stringify(body)).to.equal(200);
    return String(body['access_token']);
  };
  const redeem = (assertion: string, as = wikiAtChat, key?: ProofKey): Promise<Answer> =>
    tokenRequest(chat, as, { grant_type: JWT_BEARER, assertion }, key);

  it('the user logs in once, at the identity provider, and the client gets an access token of the user at the other server', async () => {
    const { id_token } = await logIn(idp, wiki, ada, { scope: 'openid' });
    const { status, body } = await redeem(await idJagFor(id_token));
    expect(status, JSON.stringify(body)).to.equal(200);
    // What identity provider, chat and its client all allow.
    expect(body).to.include({ token_type: 'Bearer', scope: 'chat.read', resource: API }).and.not.to.have.property('refresh_token');
    const { claims } = await readAccessToken(chat, body['access_token']);
    expect(claims).to.include({ iss: chat.issuer, sub: adaAtChat.id, client_id: wikiAtChat.id, aud: API, scope: 'chat.read' });
    const [grant] = await chat.repositories.grants.list({ userId: adaAtChat.id }, { limit: 1 });
    expect(grant).to.deep.include({ clientId: wikiAtChat.id, scope: ['chat.read'] });
  });

  it('an ID-JAG counts once there, and a new one is had by the refresh token when the ID token has expired (section 4.4.3)', async () => {
    const { id_token, refresh_token } = await logIn(idp, wiki, ada, { scope: 'openid offline_access' });
    const first = await idJagFor(id_token);
    expect((await redeem(first)).status).to.equal(200);
    expectError(await redeem(first), 'invalid_grant');
    for (const { clock } of [idp, chat]) {
      clock.advance(idp.config.lifetimes.idTokenSeconds);
    }
    expectError(await requestIdJag(idp, wiki, id_token, { audience: chat.issuer }), 'invalid_request');
    const { status, body } = await redeem(await idJagFor(refresh_token, { subject_token_type: REFRESH_TOKEN }));
    expect({ status, scope: body['scope'] }).to.deep.equal({ status: 200, scope: 'chat.read' });
    expect((await refresh(idp, wiki, refresh_token)).status).to.equal(200);
  });

  it('an ID-JAG is of use to its client alone, for as long as it says', async () => {
    const { id_token } = await logIn(idp, wiki, ada, { scope: 'openid' });
    const other = await chat.client({ grant_types: [JWT_BEARER], redirect_uris: [], scope: 'chat.read' });
    const idJag = await idJagFor(id_token);
    expectError(await redeem(idJag, other), 'invalid_grant');
    expectError(await answerOf(chat.post('/token', { grant_type: JWT_BEARER, assertion: String(id_token) }, wikiAtChat)), 'invalid_grant');
    for (const { clock } of [idp, chat]) {
      clock.advance(331);
    }
    expectError(await redeem(idJag), 'invalid_grant');
  });

  it('one that is bound to a DPoP key is redeemed with that key alone, and so is its token (sections 8.6.1 and 8.6.2)', async () => {
    const { id_token } = await logIn(idp, wiki, ada, { scope: 'openid' });
    const [key, another] = [await proofKey(), await proofKey()];
    const idJag = await idJagFor(id_token, {}, key);
    expectError(await redeem(idJag), 'invalid_grant');
    expectError(await redeem(idJag, wikiAtChat, another), 'invalid_grant');
    const { status, body } = await redeem(idJag, wikiAtChat, key);
    expect({ status, type: body['token_type'] }).to.deep.equal({ status: 200, type: 'DPoP' });
    expect((await readAccessToken(chat, body['access_token'])).claims).to.deep.include({ cnf: { jkt: key.thumbprint } });
  });

  it('whoever logs out at the identity provider, or is disabled there, gets no further anywhere', async () => {
    const tab = browser(idp);
    const { id_token } = await logIn(idp, wiki, ada, { scope: 'openid' }, tab);
    expect((await redeem(await idJagFor(id_token))).status).to.equal(200);
    await tab.visit(`/logout?${new URLSearchParams({ id_token_hint: String(id_token) }).toString()}`);
    expectError(await requestIdJag(idp, wiki, id_token, { audience: chat.issuer }), 'invalid_request');
    const again = await logIn(idp, wiki, ada, { scope: 'openid' });
    await idp.repositories.users.disable(ada.id, idp.clock.now());
    expectError(await requestIdJag(idp, wiki, again.id_token, { audience: chat.issuer }), 'invalid_request');
  });
});
