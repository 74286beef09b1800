import { expect } from 'chai';
import type { Arrival, Browser, TokenBody } from '../support/browser.ts';
import { authorize, browser, codeRequest, formWith, logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { authenticatorFor, claimsOf, ONE_FACTOR, TWO_FACTORS, typePassword } from '../support/second-factor.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { REDIRECT_URI, startTestServer } from '../support/test-server.ts';

const UNKNOWN = 'urn:example:gold';
type Asked = Readonly<Record<string, string>>;

onEachDatabase('step-up authentication (RFC 9470, OpenID Connect Core section 5.5.1.1)', (database) => {
  let server: TestServer;
  let client: TestClient;
  let user: TestUser;
  before(async () => {
    server = await startTestServer(await database.create());
    client = await server.client({ skip_consent: true });
  });
  after(() => server.close());
  beforeEach(async () => {
    user = await server.user();
  });

  /** A browser in which the user logged in with the password, a while ago. */
  async function loggedIn(): Promise<Browser> {
    const { tab } = await authorize(server, client, user);
    server.clock.advance(100);
    return tab;
  }

  async function visit(tab: Browser, asks: Asked, of: TestClient = client): Promise<{ readonly page: Arrival; readonly verifier: string }> {
    const request = codeRequest(server, of, { scope: 'openid', ...asks });
    return { page: await tab.visit(request.url), verifier: request.verifier };
  }

  async function tokensAt({ url }: Arrival, verifier: string): Promise<TokenBody> {
    const code = url.searchParams.get('code') ?? '';
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    return (await server.post('/token', form, client)).json() as Promise<TokenBody>;
  }

  const REQUIRED: readonly (readonly [title: string, asks: Asked])[] = [
    ['acr_values', { acr_values: TWO_FACTORS }],
    ['acr_values among others that are not known', { acr_values: `${UNKNOWN} ${TWO_FACTORS}` }],
    ['an essential acr', essential(TWO_FACTORS)],
    ['an essential acr beside acr_values', { acr_values: ONE_FACTOR, ...essential(UNKNOWN, TWO_FACTORS) }],
  ];

  for (const [title, asks] of REQUIRED) {
    describe(`a class that is asked for with ${title}`, () => {
      it('and not reached by the session asks for the missing factor alone, and refreshes auth_time', async () => {
        const tab = await loggedIn();
        const authenticator = await authenticatorFor(server, user);
        const { page, verifier } = await visit(tab, asks);
        expect(page.html).not.to.include('name="password"');
        const tokens = await tokensAt(await tab.submit(page, { otp: authenticator.code() }), verifier);
        const now = server.clock.now();
        expect(claimsOf(tokens.id_token)).to.deep.include({ acr: TWO_FACTORS, amr: ['pwd', 'otp', 'mfa'], auth_time: now });
        expect(claimsOf(tokens.access_token)).to.include({ acr: TWO_FACTORS, auth_time: now });
        expect(server.events.some(({ event, fields }) => event === 'stepped_up' && fields['userId'] === user.id)).to.equal(true);
        // And then it is reached.
        expect((await visit(tab, asks)).page.url.searchParams.has('code')).to.equal(true);
      });

      it('is something a user without a second factor is led to, and not lower a class is answered', async () => {
        const { page } = await typePassword(server, client, user, { scope: 'openid', ...asks });
        expect(formWith(page, ['otp', 'offer']).action).to.equal('/login/second-factor/enrolment');
        expect(await server.repositories.grants.list({ userId: user.id }, { limit: 1 })).to.deep.equal([]);
      });

      it('is login_required with prompt=none, as long as it is not reached', async () => {
        const tab = await loggedIn();
        const silent = { ...asks, prompt: 'none' };
        expect((await visit(tab, silent)).page.url.searchParams.get('error')).to.equal('login_required');
        const { code } = await authenticatorFor(server, user);
        expect((await visit(tab, silent)).page.url.searchParams.get('error')).to.equal('login_required');
        await tab.submit((await visit(tab, asks)).page, { otp: code() });
        expect((await visit(tab, silent)).page.url.searchParams.has('code')).to.equal(true);
      });
    });
  }

  it('keeps the sid, so that a later logout reaches the clients of before', async () => {
    const tab = browser(server);
    const before = claimsOf((await logIn(server, client, user, { scope: 'openid' }, tab)).id_token);
    const { code } = await authenticatorFor(server, user);
    const { page, verifier } = await visit(tab, { acr_values: TWO_FACTORS });
    const after = claimsOf((await tokensAt(await tab.submit(page, { otp: code() }), verifier)).id_token);
    expect(after['sid']).to.equal(before['sid']);
  });

  it('is for requests without openid too: access tokens have acr (RFC 9470 section 6.1)', async () => {
    const tab = await loggedIn();
    const { code } = await authenticatorFor(server, user);
    const { page, verifier } = await visit(tab, { scope: 'api:read', acr_values: TWO_FACTORS });
    const tokens = await tokensAt(await tab.submit(page, { otp: code() }), verifier);
    expect(tokens.id_token).to.equal(undefined);
    expect(claimsOf(tokens.access_token)).to.include({ acr: TWO_FACTORS });
  });

  it('stays with the grant: refreshed tokens say what the login was, whatever the session is now (RFC 9470 section 6.1)', async () => {
    const tab = browser(server);
    const old = await logIn(server, client, user, { scope: 'openid' }, tab);
    const then = server.clock.now();
    server.clock.advance(50);
    const { code } = await authenticatorFor(server, user);
    const { page, verifier } = await visit(tab, { acr_values: TWO_FACTORS });
    const stepped = await tokensAt(await tab.submit(page, { otp: code() }), verifier);
    server.clock.advance(50);
    for (const [tokens, acr, auth_time] of [
      [old, ONE_FACTOR, then],
      [stepped, TWO_FACTORS, then + 50],
    ] as const) {
      const { body } = await refresh(server, client, tokens.refresh_token);
      expect(claimsOf(body.id_token)).to.include({ acr, auth_time });
      expect(claimsOf(body.access_token)).to.include({ acr, auth_time });
    }
  });

  describe('classes in order of preference', () => {
    it('are answered with the first that the login reaches: the lower one, with its methods, where it stands first', async () => {
      const { code } = await authenticatorFor(server, user);
      const { tab, page } = await typePassword(server, client, user);
      await tab.submit(page, { otp: code() });
      for (const asks of [{ acr_values: ONE_FACTOR }, { acr_values: `${ONE_FACTOR} ${TWO_FACTORS}` }, essential(ONE_FACTOR)]) {
        const { page: arrival, verifier } = await visit(tab, asks);
        const tokens = await tokensAt(arrival, verifier);
        expect(claimsOf(tokens.id_token)).to.deep.include({ acr: ONE_FACTOR, amr: ['pwd'] });
        expect(claimsOf(tokens.access_token)).to.include({ acr: ONE_FACTOR });
      }
      const { page: arrival, verifier } = await visit(tab, { acr_values: `${TWO_FACTORS} ${ONE_FACTOR}` });
      expect(claimsOf((await tokensAt(arrival, verifier)).id_token)).to.include({ acr: TWO_FACTORS });
    });

    it('are the best that can be done without an enrolment, where the lower one will do as well', async () => {
      const both = { acr_values: `${TWO_FACTORS} ${ONE_FACTOR}` };
      const tab = await loggedIn();
      const { page: arrival, verifier } = await visit(tab, both);
      expect(claimsOf((await tokensAt(arrival, verifier)).id_token)).to.include({ acr: ONE_FACTOR });
      await authenticatorFor(server, user);
      expect((await visit(tab, { ...both, prompt: 'none' })).page.url.searchParams.has('code')).to.equal(true);
      expect((await visit(tab, both)).page.html).to.include('name="otp"');
    });
  });

  it('is only tried for an acr that is not essential: no enrolment, no error (section 5.5.1.1)', async () => {
    const tab = await loggedIn();
    for (const asks of [voluntary(TWO_FACTORS), { ...voluntary(TWO_FACTORS), prompt: 'none' }]) {
      const { page: arrival, verifier } = await visit(tab, asks);
      expect(claimsOf((await tokensAt(arrival, verifier)).id_token)).to.include({ acr: ONE_FACTOR });
    }
    await authenticatorFor(server, user);
    expect((await visit(tab, voluntary(TWO_FACTORS))).page.html).to.include('name="otp"');
  });

  it('is not asked for by classes that nobody knows here', async () => {
    const tab = await loggedIn();
    const { page: arrival, verifier } = await visit(tab, { acr_values: `${UNKNOWN} 1  2` });
    expect(claimsOf((await tokensAt(arrival, verifier)).id_token)).to.include({ acr: ONE_FACTOR });
  });

  it('is asked for by default_acr_values, where the request says nothing (Dynamic Client Registration section 2)', async () => {
    const strict = await server.client({ skip_consent: true, default_acr_values: [TWO_FACTORS] });
    const tab = await loggedIn();
    await authenticatorFor(server, user);
    expect((await visit(tab, {}, strict)).page.html).to.include('name="otp"');
    expect((await visit(tab, { acr_values: ONE_FACTOR }, strict)).page.url.searchParams.has('code')).to.equal(true);
  });

  describe('and the age of the login', () => {
    it('max_age counts from the last time the user did something to authenticate (RFC 9470 section 3)', async () => {
      const tab = await loggedIn();
      const { code } = await authenticatorFor(server, user);
      expect((await visit(tab, { max_age: '99', prompt: 'none' })).page.url.searchParams.get('error')).to.equal('login_required');
      await tab.submit((await visit(tab, { acr_values: TWO_FACTORS })).page, { otp: code() });
      expect((await visit(tab, { max_age: '99', prompt: 'none' })).page.url.searchParams.has('code')).to.equal(true);
    });

    it('a login that is too old is done again from the start, and then reaches the class', async () => {
      const tab = await loggedIn();
      const { code } = await authenticatorFor(server, user);
      const { page } = await visit(tab, { acr_values: TWO_FACTORS, max_age: '99' });
      const second = await tab.submit(page, { username: user.username, password: user.password });
      expect((await tab.submit(second, { otp: code() })).url.searchParams.has('code')).to.equal(true);
    });

    it('prompt=login is not answered by a code alone, given in another tab', async () => {
      const tab = await loggedIn();
      const { code } = await authenticatorFor(server, user);
      const { page } = await visit(tab, { prompt: 'login' });
      await tab.submit((await visit(tab, { acr_values: TWO_FACTORS })).page, { otp: code() });
      const { request = '' } = formWith(page, ['password']).hidden;
      expect((await tab.visit(`${server.issuer}/authorize/resume?request=${request}`)).html).to.include('name="password"');
    });
  });
});

/** An `acr` that is essential, by `claims`. */
function essential(...values: readonly string[]): Asked {
  return { claims: JSON.stringify({ id_token: { acr: { essential: true, values } } }) };
}

/** An `acr` that is not. */
function voluntary(...values: readonly string[]): Asked {
  return { claims: JSON.stringify({ id_token: { acr: { values } } }) };
}
