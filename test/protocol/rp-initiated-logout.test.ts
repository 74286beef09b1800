import { expect } from 'chai';
import { decodeJwt, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { type Arrival, authorize, type Browser, browser, codeRequest, logIn } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';

const AFTER = 'https://app.example/signed-out';

describe('logout endpoint (OpenID Connect RP-Initiated Logout 1.0)', () => {
  const server = suiteServer();

  interface Login {
    readonly client: TestClient;
    readonly user: TestUser;
    readonly tab: Browser;
    readonly idToken: string;
  }

  async function login(metadata: Readonly<Record<string, unknown>> = {}, tab = browser(server())): Promise<Login> {
    const client = await server().client({ post_logout_redirect_uris: [AFTER], skip_consent: true, ...metadata });
    const user = await server().user();
    const tokens = await logIn(server(), client, user, { scope: 'openid' }, tab);
    return { client, user, tab, idToken: (tokens as unknown as { readonly id_token: string }).id_token };
  }

  async function isLoggedIn({ tab, client }: Pick<Login, 'tab' | 'client'>): Promise<boolean> {
    const { url } = await tab.visit(codeRequest(server(), client, { prompt: 'none', scope: 'openid' }).url);
    return url.searchParams.get('error') !== 'login_required';
  }

  /** The browser stayed here, is asked, and is still logged in. */
  async function expectQuestion(page: Arrival, of: Login): Promise<void> {
    expect(page.url.origin).to.equal(new URL(server().issuer).origin);
    expect(page.html).to.include('Sign out?').and.to.include(of.user.username);
    expect(await isLoggedIn(of)).to.equal(true);
  }

  it('oidcc-rp-initiated-logout-discovery-endpoint-verification: is announced', async () => {
    const metadata = (await (await server().get('/.well-known/openid-configuration')).json()) as Record<string, unknown>;
    expect(metadata['end_session_endpoint']).to.equal(`${server().issuer}/logout`);
  });

  it('oidcc-rp-initiated-logout: with an ID token of the user who is logged in, ends the session unasked and goes back with state', async () => {
    const own = await login();
    const { url } = await own.tab.visit(logoutUrl({ id_token_hint: own.idToken, post_logout_redirect_uri: AFTER, state: 'a b&c=ü' }));
    expect(url.origin + url.pathname).to.equal(AFTER);
    expect([...url.searchParams]).to.deep.equal([['state', 'a b&c=ü']]);
    expect(await isLoggedIn(own)).to.equal(false);
    expect(server().events.at(-1)).to.deep.include({ event: 'logout' });
    expect(server().events.at(-1)?.fields).to.deep.include({ userId: own.user.id, clientId: own.client.id });
  });

  it('oidcc-rp-initiated-logout-no-state: goes back without one', async () => {
    const own = await login();
    const { url } = await own.tab.visit(logoutUrl({ id_token_hint: own.idToken, post_logout_redirect_uri: AFTER }));
    expect(url.href).to.equal(AFTER);
  });

  it('keeps a query that was registered', async () => {
    const own = await login({ post_logout_redirect_uris: [`${AFTER}?tenant=7`] });
    const { url } = await own.tab.visit(
      logoutUrl({ id_token_hint: own.idToken, post_logout_redirect_uri: `${AFTER}?tenant=7`, state: 's' }),
    );
    expect(url.href).to.equal(`${AFTER}?tenant=7&state=s`);
  });

  it('takes an ID token that has expired (section 2: "even when the exp time has passed")', async () => {
    const own = await login({ id_token_ttl: 60 });
    server().clock.advance(3600);
    const { url } = await own.tab.visit(logoutUrl({ id_token_hint: own.idToken, post_logout_redirect_uri: AFTER }));
    expect(url.href).to.equal(AFTER);
    expect(await isLoggedIn(own)).to.equal(false);
  });

  it('takes a POST of another site, whose browser sends no SameSite=Lax cookie along (section 2: GET and POST)', async () => {
    const own = await login();
    const form = { id_token_hint: own.idToken, post_logout_redirect_uri: AFTER, state: 's' };
    const response = await server().post('/logout', form);
    expect(response.status).to.equal(303);
    const location = response.headers.get('location') ?? '';
    expect(location).not.to.include(own.idToken.split('.')[1]);
    const { url } = await own.tab.visit(location);
    expect(url.href).to.equal(`${AFTER}?state=s`);
    expect(await isLoggedIn(own)).to.equal(false);
  });

  it('oidcc-rp-initiated-logout-no-post-logout-redirect-uri, -only-state: ends the session and says so', async () => {
    for (const parameters of [{}, { state: 's' }]) {
      const own = await login();
      const page = await own.tab.visit(logoutUrl({ id_token_hint: own.idToken, ...parameters }));
      expect(page.html).to.include('You are signed out');
      expect(await isLoggedIn(own)).to.equal(false);
    }
  });

  it('oidcc-rp-initiated-logout-no-params: asks, ends the session, and says so', async () => {
    const own = await login();
    const question = await own.tab.visit('/logout');
    await expectQuestion(question, own);
    const page = await own.tab.submit(question, { decision: 'sign_out' });
    expect(page.html).to.include('You are signed out');
    expect(await isLoggedIn(own)).to.equal(false);
  });

  it('oidcc-rp-initiated-logout-no-id-token-hint: asks (section 2: MUST), and stays, for nobody said which client it is', async () => {
    const own = await login();
    const question = await own.tab.visit(logoutUrl({ post_logout_redirect_uri: AFTER, state: 's' }));
    await expectQuestion(question, own);
    const page = await own.tab.submit(question, { decision: 'sign_out' });
    expect(page.html).to.include('You are signed out');
    expect(page.url.pathname).to.equal('/logout');
  });

  it('asks for a client that only says who it is, by name, and goes back to it when the user agrees', async () => {
    const own = await login({ client_name: 'Photo Book' });
    const question = await own.tab.visit(logoutUrl({ client_id: own.client.id, post_logout_redirect_uri: AFTER, state: 's' }));
    await expectQuestion(question, own);
    expect(question.html).to.match(/<bdi>Photo Book<\/bdi> asks to sign you out/);
    expect(question.headers.get('content-security-policy')).to.include("form-action 'self' https:");
    const { url } = await own.tab.submit(question, { decision: 'sign_out' });
    expect(url.href).to.equal(`${AFTER}?state=s`);
    expect(await isLoggedIn(own)).to.equal(false);
  });

  it('asks when the ID token is of another user than the one who is logged in (section 2: MUST)', async () => {
    const [own, other] = [await login(), await login()];
    const question = await own.tab.visit(logoutUrl({ id_token_hint: other.idToken, post_logout_redirect_uri: AFTER }));
    await expectQuestion(question, own);
    expect((await own.tab.submit(question, { decision: 'sign_out' })).url.href).to.equal(AFTER);
  });

  it('knows a pairwise client’s user by the name that the client has', async () => {
    const own = await login({ subject_type: 'pairwise' });
    expect(decodeJwt(own.idToken).sub).not.to.equal(own.user.id);
    expect((await own.tab.visit(logoutUrl({ id_token_hint: own.idToken }))).html).to.include('You are signed out');
  });

  const forgeries: readonly (readonly [name: string, forge: (idToken: string) => Promise<string>])[] = [
    [
      'oidcc-rp-initiated-logout-modified-id-token-hint: one without signature (alg none)',
      async (idToken) => new UnsecuredJWT(decodeJwt(idToken)).encode(),
    ],
    [
      'oidcc-rp-initiated-logout-bad-id-token-hint: one that somebody else signed',
      async (idToken) => {
        const { privateKey } = await generateKeyPair('RS256');
        return new SignJWT(decodeJwt(idToken)).setProtectedHeader({ alg: 'RS256', typ: 'JWT' }).sign(privateKey);
      },
    ],
    ['one whose claims were changed', async (idToken) => withClaims(idToken, { nonce: 'x' })],
    ['what is no token at all', async () => 'nonsense'],
  ];
  for (const [name, forge] of forgeries) {
    it(`does not take ${name}, for a logout or for a redirect (section 4)`, async () => {
      const own = await login();
      const parameters = { id_token_hint: await forge(own.idToken), client_id: own.client.id, post_logout_redirect_uri: AFTER };
      const question = await own.tab.visit(logoutUrl(parameters));
      await expectQuestion(question, own);
      expect((await own.tab.submit(question, { decision: 'sign_out' })).url.pathname).to.equal('/logout');
    });
  }

  it('does not take an access token for an ID token', async () => {
    const own = await login();
    const { access_token } = await logIn(server(), own.client, own.user, { scope: 'openid' }, own.tab);
    await expectQuestion(await own.tab.visit(logoutUrl({ id_token_hint: access_token, post_logout_redirect_uri: AFTER })), own);
  });

  it('takes client_id and ID token only when they name the same client (section 2: MUST)', async () => {
    const own = await login();
    const other = await server().client({ post_logout_redirect_uris: [AFTER] });
    const parameters = { id_token_hint: own.idToken, client_id: other.id, post_logout_redirect_uri: AFTER };
    const question = await own.tab.visit(logoutUrl(parameters));
    await expectQuestion(question, own);
    expect((await own.tab.submit(question, { decision: 'sign_out' })).url.pathname).to.equal('/logout');
    const { url } = await own.tab.visit(logoutUrl({ ...parameters, client_id: own.client.id }));
    expect(url.href).to.equal(AFTER);
  });

  for (const [name, uri] of [
    ['oidcc-rp-initiated-logout-bad-post-logout-redirect-uri', 'https://app.example/elsewhere'],
    ['oidcc-rp-initiated-logout-query-added-to-post-logout-redirect-uri', `${AFTER}?added=1`],
    ['a redirect URI of the authorization endpoint', 'https://app.example/callback'],
  ] as const) {
    it(`refuses what was not registered, and changes nothing: ${name}`, async () => {
      const own = await login();
      const page = await own.tab.visit(logoutUrl({ id_token_hint: own.idToken, post_logout_redirect_uri: uri, state: 's' }));
      expect(page.status).to.equal(400);
      expect(page.html).to.include('post_logout_redirect_uri must be one of those');
      expect(await isLoggedIn(own)).to.equal(true);
    });
  }

  it('goes back where nobody is logged in any more, for a client that shows an ID token, and for no other', async () => {
    const own = await login();
    const elsewhere = browser(server());
    const parameters = { post_logout_redirect_uri: AFTER, state: 's' };
    expect((await elsewhere.visit(logoutUrl({ ...parameters, id_token_hint: own.idToken }))).url.href).to.equal(`${AFTER}?state=s`);
    const page = await elsewhere.visit(logoutUrl({ ...parameters, client_id: own.client.id }));
    expect(page.html).to.include('You are signed out');
    expect(await isLoggedIn(own)).to.equal(true);
  });

  it('refuses a parameter that comes twice', async () => {
    const own = await login();
    const page = await own.tab.visit(`${logoutUrl({ id_token_hint: own.idToken })}&id_token_hint=${own.idToken}`);
    expect(page.status).to.equal(400);
    expect(await isLoggedIn(own)).to.equal(true);
  });

  it('speaks the language of ui_locales, through the question to the end', async () => {
    const own = await login();
    const question = await own.tab.visit(logoutUrl({ ui_locales: 'ko' }));
    expect(question.html).to.include('로그아웃하시겠습니까?');
    expect((await own.tab.submit(question, { decision: 'sign_out' })).html).to.include('로그아웃되었습니다');
  });

  it('begins anew when the page was open for too long', async () => {
    const own = await login();
    const question = await own.tab.visit('/logout');
    server().clock.advance(3600);
    const page = await own.tab.submit(question, { decision: 'sign_out' });
    expect(page.html).to.include('This page has expired');
    expect(await isLoggedIn(own)).to.equal(true);
  });

  it('ends the session for a user who consented to a client just before, too', async () => {
    const client = await server().client({ post_logout_redirect_uris: [AFTER] });
    const { tab } = await authorize(server(), client, await server().user(), { scope: 'openid' });
    const question = await tab.visit(logoutUrl({ client_id: client.id, post_logout_redirect_uri: AFTER }));
    expect((await tab.submit(question, { decision: 'sign_out' })).url.href).to.equal(AFTER);
  });
});

/** The token with other claims under the old signature. */
function withClaims(token: string, changes: Readonly<Record<string, unknown>>): string {
  const [header = '', , signature = ''] = token.split('.');
  const payload = Buffer.from(JSON.stringify({ ...decodeJwt(token), ...changes })).toString('base64url');
  return `${header}.${payload}.${signature}`;
}

function logoutUrl(parameters: Readonly<Record<string, string>>): string {
  return `/logout?${new URLSearchParams(parameters).toString()}`;
}
