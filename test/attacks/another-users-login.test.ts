import { expect } from 'chai';
import { answerOf, readIdToken } from '../support/answers.ts';
import { authorize, browser, codeRequest, logIn, type TokenBody } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

describe("another user's login (OpenID Connect Core sections 3.1.2.2, 5.3.2 and 16.11; RFC 9700 section 4.5)", () => {
  const server = suiteServer();

  it('is not what an injected code leads to unnoticed: the ID token has the nonce of the request that the code is of', async () => {
    const client = await server().client({ skip_consent: true });
    const [victim, attacker] = [await server().user(), await server().user()];
    const stolen = await authorize(server(), client, attacker, { scope: 'openid', nonce: "attacker's" });
    const honest = codeRequest(server(), client, { scope: 'openid', nonce: "victim's" });
    const form = { grant_type: 'authorization_code', code: stolen.code, redirect_uri: REDIRECT_URI };
    // PKCE stops it before the nonce could.
    const { status } = await answerOf(server().post('/token', { ...form, code_verifier: honest.verifier }, client));
    expect(status).to.equal(400);
    const { body } = await answerOf(server().post('/token', { ...form, code_verifier: stolen.verifier }, client));
    const { claims } = await readIdToken(server(), client, body['id_token']);
    expect(claims).to.include({ nonce: "attacker's", sub: attacker.id }).and.not.include({ sub: victim.id });
  });

  it('is not told at userinfo by a token of another grant of the same browser', async () => {
    const client = await server().client({ skip_consent: true, scope: 'openid email' });
    const [first, second] = [await server().user({ email: 'first@example.com' }), await server().user({ email: 'second@example.com' })];
    const tab = browser(server());
    const mine = await logIn(server(), client, first, { scope: 'openid email' }, tab);
    await logIn(server(), client, second, { scope: 'openid email', prompt: 'login' }, tab);
    const { body } = await answerOf(server().get('/userinfo', { authorization: `Bearer ${mine.access_token}` }));
    expect(body).to.include({ sub: first.id, email: 'first@example.com' });
  });

  it('is not told by the cookie of a browser: userinfo knows access tokens alone', async () => {
    const client = await server().client({ skip_consent: true });
    const { tab } = await authorize(server(), client, await server().user(), { scope: 'openid' });
    const cookie = [...tab.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    expect((await answerOf(server().get('/userinfo', { cookie }))).status).to.equal(401);
  });

  it("is nothing that a client learns of by another client's ID token as a hint", async () => {
    const [one, other] = [await server().client({ skip_consent: true }), await server().client({ skip_consent: true })];
    const tab = browser(server());
    const tokens: TokenBody = await logIn(server(), one, await server().user(), { scope: 'openid' }, tab);
    const probe = codeRequest(server(), other, { scope: 'openid', prompt: 'none', id_token_hint: tokens.id_token });
    const { searchParams } = (await tab.visit(probe.url)).url;
    expect([searchParams.get('error'), searchParams.get('code')]).to.deep.equal(['invalid_request', null]);
  });
});
