import { expect } from 'chai';
import type { Arrival, Browser } from '../support/browser.ts';
import { authorize, browser, codeRequest, formWith, passPages } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';

describe('what a request says about the login (OpenID Connect Core section 3.1.2.1)', () => {
  const server = suiteServer();

  async function loggedIn(client: TestClient, user: TestUser): Promise<Browser> {
    return (await authorize(server(), client, user)).tab;
  }

  function ask(tab: Browser, client: TestClient, parameters: Readonly<Record<string, string>>): Promise<Arrival> {
    return tab.visit(codeRequest(server(), client, parameters).url);
  }

  it('uses the login of the browser, without asking again', async () => {
    const client = await server().client();
    const tab = await loggedIn(client, await server().user());
    expect(codeOf(await ask(tab, client, {}))).to.be.a('string');
  });

  describe('prompt=none', () => {
    it('answers login_required where nobody is logged in, and shows no page', async () => {
      const client = await server().client();
      const tab = browser(server());
      expect(errorOf(await ask(tab, client, { prompt: 'none' }))).to.equal('login_required');
      expect(tab.cookies.size).to.equal(0);
    });

    it('answers consent_required where the user has not allowed the client yet', async () => {
      const user = await server().user();
      const tab = await loggedIn(await server().client(), user);
      const other = await server().client();
      expect(errorOf(await ask(tab, other, { prompt: 'none' }))).to.equal('consent_required');
      expect(await server().repositories.grants.list({ clientId: other.id }, { limit: 1 })).to.deep.equal([]);
    });

    it('answers a code where there is nothing to ask', async () => {
      const client = await server().client();
      const tab = await loggedIn(client, await server().user());
      expect(codeOf(await ask(tab, client, { prompt: 'none' }))).to.be.a('string');
    });

    it('answers login_required once the login is older than max_age', async () => {
      const client = await server().client();
      const tab = await loggedIn(client, await server().user());
      server().clock.advance(31);
      expect(errorOf(await ask(tab, client, { prompt: 'none', max_age: '30' }))).to.equal('login_required');
      expect(codeOf(await ask(tab, client, { prompt: 'none', max_age: '31' }))).to.be.a('string');
    });
  });

  for (const prompt of ['login', 'select_account', 'login consent']) {
    it(`asks for a login with prompt=${prompt}, each time`, async () => {
      const client = await server().client();
      const user = await server().user();
      const tab = await loggedIn(client, user);
      const before = tab.cookies.get('keyturn_session');
      const { url } = codeRequest(server(), client, { prompt });
      const page = await tab.visit(url);
      expect(isLoginPage(page)).to.equal(true);
      expect(codeOf(await passPages(tab, page, user))).to.be.a('string');
      expect(tab.cookies.get('keyturn_session')).not.to.equal(before);
      expect(isLoginPage(await tab.visit(url))).to.equal(true);
    });
  }

  it('does not take the login from before the request for the one that prompt=login asks for', async () => {
    const client = await server().client();
    const tab = await loggedIn(client, await server().user());
    const page = await ask(tab, client, { prompt: 'login' });
    const { request = '' } = formWith(page, ['password']).hidden;
    expect(isLoginPage(await tab.visit(`/authorize/resume?request=${request}`))).to.equal(true);
  });

  it('asks again when the login is older than max_age, and tells the client when it was', async () => {
    const client = await server().client();
    const user = await server().user();
    const tab = await loggedIn(client, user);
    server().clock.advance(600);
    expect(codeOf(await ask(tab, client, { max_age: '600' }))).to.be.a('string');
    const page = await ask(tab, client, { max_age: '599' });
    expect(isLoginPage(page)).to.equal(true);
    expect(codeOf(await passPages(tab, page, user))).to.be.a('string');
    const [grant] = await server().repositories.grants.list({ userId: user.id }, { limit: 1 });
    expect(grant?.authentication.authTime).to.equal(server().clock.now());
  });

  it('asks always with max_age=0, and once only', async () => {
    const client = await server().client();
    const user = await server().user();
    const tab = await loggedIn(client, user);
    const page = await ask(tab, client, { max_age: '0' });
    expect(isLoginPage(page)).to.equal(true);
    expect(codeOf(await passPages(tab, page, user))).to.be.a('string');
  });

  it('asks again when the login became older than max_age while the consent page was open', async () => {
    const user = await server().user();
    const tab = await loggedIn(await server().client(), user);
    const client = await server().client();
    const consent = await ask(tab, client, { max_age: '60' });
    expect(consent.html).to.include('name="decision"');
    server().clock.advance(61);
    expect(isLoginPage(await tab.submit(consent, { decision: 'allow' }))).to.equal(true);
    expect(await server().repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([]);
  });

  it('puts login_hint into the username field', async () => {
    const page = await ask(browser(server()), await server().client(), { login_hint: 'alice@example.com' });
    expect(page.html).to.match(/<input id="username"[^>]* value="alice@example\.com"/);
  });

  it('bounds a login_hint', async () => {
    const page = await ask(browser(server()), await server().client(), { login_hint: 'a'.repeat(3000) });
    expect(page.html).to.include(`value="${'a'.repeat(256)}"`);
  });

  describe('language of the pages', () => {
    const cases: readonly (readonly [uiLocales: string | undefined, acceptLanguage: string | undefined, language: string])[] = [
      [undefined, undefined, 'en'],
      ['ko', undefined, 'ko'],
      ['fr-CA ko-KR en', undefined, 'ko'],
      [undefined, 'ko-KR,ko;q=0.9,en;q=0.8', 'ko'],
      [undefined, 'en;q=0.5, ko;q=0.4', 'en'],
      ['en', 'ko', 'en'],
      ['fr', 'ko', 'ko'],
      ['xx', 'yy', 'en'],
    ];
    for (const [uiLocales, acceptLanguage, language] of cases) {
      it(`is ${language} for ui_locales ${uiLocales ?? 'absent'} and Accept-Language ${acceptLanguage ?? 'absent'}`, async () => {
        const { url } = codeRequest(server(), await server().client(), { ui_locales: uiLocales });
        const { html } = await browser(server()).visit(url, acceptLanguage === undefined ? {} : { 'accept-language': acceptLanguage });
        expect(html).to.include(`<html lang="${language}"`);
      });
    }

    it('stays the one of the request when the form comes back, and goes by Accept-Language where a request is not known', async () => {
      const tab = browser(server());
      const page = await ask(tab, await server().client(), { ui_locales: 'ko' });
      const refused = await tab.submit(page, { username: 'nobody', password: 'not the password' });
      expect(refused.html).to.include('<html lang="ko"');
      const error = await tab.visit('/authorize?client_id=nobody', { 'accept-language': 'ko' });
      expect(error.html).to.include('<html lang="ko"');
    });
  });
});

const isLoginPage = ({ html }: Arrival): boolean => html.includes('name="password"');

const codeOf = ({ url }: Arrival): string | null => url.searchParams.get('code');

const errorOf = ({ url }: Arrival): string | null => url.searchParams.get('error');
