import { expect } from 'chai';
import { answerOf, readIdToken } from '../support/answers.ts';
import type { Arrival, Browser, TokenBody } from '../support/browser.ts';
import { browser, codeRequest, logIn, passPages } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';

type Parameters = Readonly<Record<string, string | undefined>>;

describe('authentication request (OpenID Connect Core section 3.1.2.1)', () => {
  const server = suiteServer();
  let client: TestClient;
  let [ada, eve]: (TestUser | undefined)[] = [];
  let tab: Browser;
  before(async () => {
    client = await server().client({ skip_consent: true, scope: 'openid email' });
    ada = await server().user();
    eve = await server().user();
  });
  beforeEach(() => {
    tab = browser(server());
  });

  const adaIs = (): TestUser => ada ?? expect.fail();
  const eveIs = (): TestUser => eve ?? expect.fail();

  /** Sends the request and says what came of it, without anybody touching a page. */
  async function ask(parameters: Parameters, by = client): Promise<Arrival> {
    return tab.visit(codeRequest(server(), by, { scope: 'openid', ...parameters }).url);
  }

  async function login(user: TestUser, parameters: Parameters = {}, by = client): Promise<TokenBody> {
    return logIn(server(), by, user, { scope: 'openid', ...parameters }, tab);
  }

  describe('works with and without what need not be honoured', () => {
    for (const [module, parameters] of [
      ['oidcc-display-page', { display: 'page' }],
      ['oidcc-display-popup', { display: 'popup' }],
      ['oidcc-login-hint', { login_hint: 'ada@example.com' }],
      ['oidcc-ui-locales', { ui_locales: 'se ko en' }],
      ['oidcc-claims-locales', { claims_locales: 'se' }],
      ['oidcc-ensure-request-with-unknown-parameter-succeeds', { extra: 'foobar' }],
      ['oidcc-ensure-request-with-acr-values-succeeds', { acr_values: '1 2 urn:keyturn:acr:1fa' }],
    ] as const) {
      it(`${Object.keys(parameters).join()} (${module})`, async () => {
        const tokens = await login(adaIs(), parameters);
        const { claims } = await readIdToken(server(), client, tokens.id_token);
        // acr_values are voluntary: the session's own class is told (section 5.5.1.1).
        expect(claims).to.include({ sub: adaIs().id, acr: 'urn:keyturn:acr:1fa' });
      });
    }
  });

  it('shows the login_hint on the page, to be changed', async () => {
    expect((await ask({ login_hint: 'ada@example.com' })).html).to.match(/name="username"[^>]*value="ada@example.com"/);
  });

  it('refuses a prompt that it cannot do, create among them', async () => {
    for (const prompt of ['create', 'login create', 'none login', 'x']) {
      expect(errorOf(await ask({ prompt })), prompt).to.equal('invalid_request');
    }
  });

  describe('max_age', () => {
    it('lets a login be as old as it says, and no older (oidcc-max-age-1, oidcc-max-age-10000)', async () => {
      await login(adaIs());
      const loginAt = server().clock.now();
      server().clock.advance(100);
      const answer = await login(adaIs(), { max_age: '10000' });
      expect((await readIdToken(server(), client, answer.id_token)).claims['auth_time']).to.equal(loginAt);
      expect(isLoginPage(await ask({ max_age: '1' }))).to.equal(true);
      expect(errorOf(await ask({ max_age: '1', prompt: 'none' }))).to.equal('login_required');
      const again = await login(adaIs(), { max_age: '1' });
      expect((await readIdToken(server(), client, again.id_token)).claims['auth_time']).to.equal(loginAt + 100);
    });

    it("is the client's default_max_age where the request has none (Registration section 2)", async () => {
      const strict = await server().client({ skip_consent: true, scope: 'openid', default_max_age: 60 });
      await login(adaIs(), {}, strict);
      server().clock.advance(61);
      expect(isLoginPage(await ask({}, strict))).to.equal(true);
      expect(hasCode(await ask({ max_age: '100' }, strict))).to.equal(true);
      expect(hasCode(await ask({}))).to.equal(true);
    });
  });

  describe('id_token_hint', () => {
    it('of the user who is logged in changes nothing (oidcc-id-token-hint)', async () => {
      const { id_token } = await login(adaIs());
      expect(hasCode(await ask({ prompt: 'none', id_token_hint: id_token }))).to.equal(true);
    });

    it('may have expired', async () => {
      const { id_token } = await login(adaIs());
      server().clock.advance(3600);
      expect(hasCode(await ask({ prompt: 'none', id_token_hint: id_token }))).to.equal(true);
    });

    it('of another user is login_required where nobody may be asked, and a login page elsewhere', async () => {
      const { id_token } = await login(adaIs());
      await login(eveIs(), { prompt: 'login' });
      expect(errorOf(await ask({ prompt: 'none', id_token_hint: id_token }))).to.equal('login_required');
      const page = await ask({ id_token_hint: id_token });
      expect(isLoginPage(page)).to.equal(true);
      expect(hasCode(await passPages(tab, page, adaIs()))).to.equal(true);
    });

    it('is never answered about another user: not after that user logged in again, and not at the consent page', async () => {
      const asking = await server().client({ scope: 'openid' });
      const { id_token } = await login(adaIs(), {}, asking);
      const page = await ask({ id_token_hint: id_token, prompt: 'login' }, asking);
      const before = (await server().repositories.grants.list({ clientId: asking.id }, { limit: 9 })).length;
      const arrival = await tab.submit(page, { username: eveIs().username, password: eveIs().password });
      // No consent page either, which would ask Eve for what nobody can have.
      expect({ error: errorOf(arrival), code: hasCode(arrival) }).to.deep.equal({ error: 'login_required', code: false });
      const consent = await ask({ id_token_hint: id_token, prompt: 'login' }, asking).then((again) =>
        tab.submit(again, { username: adaIs().username, password: adaIs().password }),
      );
      expect(hasCode(consent)).to.equal(true);
      expect(await server().repositories.grants.list({ clientId: asking.id }, { limit: 9 })).to.have.length(before + 1);
    });

    it('that is not an ID token of this client is invalid_request', async () => {
      const other = await server().client({ skip_consent: true, scope: 'openid' });
      const foreign = await login(adaIs(), {}, other);
      const own = await login(adaIs());
      const [header = '', payload = ''] = String(own.id_token).split('.');
      const unsigned = `${Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url')}.${payload}.`;
      for (const hint of [foreign.id_token, own.access_token, unsigned, `${header}.${payload}.AAAA`, 'x', 'a.b.c']) {
        expect(errorOf(await ask({ id_token_hint: hint })), hint).to.equal('invalid_request');
      }
    });

    it('cannot be a signed userinfo response, which is about the same user and for the same client', async () => {
      const signed = await server().client({ skip_consent: true, scope: 'openid', userinfo_signed_response_alg: 'RS256' });
      const { access_token } = await login(adaIs(), {}, signed);
      const userinfo = await (await server().get('/userinfo', { authorization: `Bearer ${access_token}` })).text();
      expect(userinfo.split('.')).to.have.length(3);
      expect(errorOf(await ask({ id_token_hint: userinfo }, signed))).to.equal('invalid_request');
    });
  });

  it('refuses a nonce of more than 1024 characters', async () => {
    expect(errorOf(await ask({ nonce: 'x'.repeat(1025) }))).to.equal('invalid_request');
    expect(isLoginPage(await ask({ nonce: 'x'.repeat(1024) }))).to.equal(true);
  });

  it('gives a client that registers no scope those of a login (Registration section 2), and one without logins none', async () => {
    const metadata = { redirect_uris: ['https://app.example/callback'], grant_types: ['authorization_code'] };
    const { record } = await server().registration.create(metadata);
    expect(record.metadata.scope).to.equal('openid profile email phone address offline_access');
    const service = await server().registration.create({ grant_types: ['client_credentials'] });
    expect(service.record.metadata.scope).to.equal('');
    const { body } = await answerOf(
      server().post('/token', { grant_type: 'client_credentials' }, { id: service.record.id, secret: service.secret ?? '' }),
    );
    expect(body).to.have.property('access_token').and.not.to.have.property('scope');
  });
});

function errorOf({ url }: Arrival): string | null {
  return url.searchParams.get('error');
}

function hasCode({ url }: Arrival): boolean {
  return url.searchParams.has('code');
}

function isLoginPage({ html }: Arrival): boolean {
  return html.includes('name="password"');
}
