import { expect } from 'chai';
import type { Browser, Form } from '../support/browser.ts';
import { authorize, browser, codeRequest, cookieHeader, formWith } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';

type Fields = Readonly<Record<string, string>>;

/** A form on a page, in the browser it was shown in. */
interface Shown {
  readonly tab: Browser;
  readonly form: Form;
}

describe('cross-site request forgery (RFC 9700 section 4.7)', () => {
  const server = suiteServer();

  async function loginForm(client: TestClient, tab = browser(server())): Promise<Shown> {
    return { tab, form: formWith(await tab.visit(codeRequest(server(), client, { prompt: 'login' }).url), ['password']) };
  }

  /** The consent page of a client that the user has not allowed yet. */
  async function consentForm(client: TestClient, user: TestUser): Promise<Shown> {
    const { tab } = await authorize(server(), await server().client(), user);
    return { tab, form: formWith(await tab.visit(codeRequest(server(), client).url), ['decision']) };
  }

  async function logoutForm(user: TestUser): Promise<Shown> {
    const { tab } = await authorize(server(), await server().client(), user);
    return { tab, form: formWith(await tab.visit('/logout'), ['decision']) };
  }

  function send(tab: Browser, form: Form, fields: Fields, headers: Fields = {}): Promise<Response> {
    return fetch(server().issuer + form.action, {
      method: 'POST',
      body: new URLSearchParams({ ...form.hidden, ...fields }),
      headers: { cookie: cookieHeader(tab), ...headers },
      redirect: 'manual',
    });
  }

  const CROSS_SITE: Readonly<Record<string, Fields>> = {
    'Sec-Fetch-Site: cross-site': { 'sec-fetch-site': 'cross-site' },
    'Sec-Fetch-Site: same-site': { 'sec-fetch-site': 'same-site' },
    'Sec-Fetch-Site of no known value': { 'sec-fetch-site': 'whatever' },
    "another site's Origin": { origin: 'https://evil.example' },
    'an Origin with the same host and another port': { origin: 'http://localhost:1' },
    'Sec-Fetch-Site: cross-site and our own Origin': { 'sec-fetch-site': 'cross-site', origin: '' },
  };

  describe('login', () => {
    it('works with the form as it was shown: without headers, as curl; and with those of a browser', async () => {
      const { origin } = new URL(server().issuer);
      for (const headers of [
        {},
        { origin, 'sec-fetch-site': 'same-origin' },
        { origin: 'null', 'sec-fetch-site': 'same-origin' },
        { origin: 'null' },
      ]) {
        const { tab, form } = await loginForm(await server().client());
        expect((await send(tab, form, credentials(await server().user()), headers)).status).to.equal(303);
      }
    });

    it('refuses a form without token, or with an empty or made-up one', async () => {
      const user = await server().user();
      const { tab, form } = await loginForm(await server().client());
      await expectNoLogin(await send(tab, without(form, 'form_token'), credentials(user)));
      for (const form_token of ['', 'x', 'A'.repeat(91), `${form.hidden['form_token']}A`, (form.hidden['form_token'] ?? '').slice(0, -1)]) {
        await expectNoLogin(await send(tab, form, { ...credentials(user), form_token }));
      }
    });

    it("refuses another browser's form: an attacker cannot log a victim in to the attacker's account", async () => {
      const client = await server().client();
      const attacker = await server().user();
      const theirs = await loginForm(client);
      const victim = await loginForm(client);
      await expectNoLogin(await send(victim.tab, theirs.form, credentials(attacker)));
      await expectNoLogin(await send(browser(server()), theirs.form, credentials(attacker)));
      await expectNoLogin(await send(victim.tab, withToken(victim.form, theirs.form), credentials(attacker)));
    });

    it("refuses a form with another request's token", async () => {
      const client = await server().client();
      const first = await loginForm(client);
      const second = await loginForm(client, first.tab);
      await expectNoLogin(await send(first.tab, withToken(second.form, first.form), credentials(await server().user())));
    });

    it('refuses a form with the token of the consent or logout page', async () => {
      const user = await server().user();
      for (const { tab, form: other } of [await consentForm(await server().client(), user), await logoutForm(user)]) {
        const { form } = await loginForm(await server().client(), tab);
        await expectNoLogin(await send(tab, withToken(form, other), credentials(user)));
      }
    });

    for (const [name, headers] of Object.entries(CROSS_SITE)) {
      it(`refuses ${name}`, async () => {
        const { tab, form } = await loginForm(await server().client());
        const sent = headers['origin'] === '' ? { ...headers, origin: new URL(server().issuer).origin } : headers;
        await expectNoLogin(await send(tab, form, credentials(await server().user()), sent));
      });
    }

    it('counts no guess, and looks at no password, for a form that is not genuine', async () => {
      const user = await server().user();
      const { tab, form } = await loginForm(await server().client());
      const told = server().events.length;
      for (let attempt = 0; attempt < 7; attempt++) {
        await expectNoLogin(await send(tab, without(form, 'form_token'), { username: user.username, password: 'guess' }));
      }
      expect(server().events.length).to.equal(told);
      expect((await send(tab, form, credentials(user))).status).to.equal(303);
    });
  });

  /** Sent back to the start of the request, and nothing granted or remembered. */
  async function expectNoConsent(client: TestClient, response: Response): Promise<void> {
    expect(response.status).to.equal(303);
    expect(response.headers.get('location')).to.match(/^\/authorize\/resume\?request=/);
    expect(await server().repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([]);
  }

  describe('consent', () => {
    it('refuses a form without token, or with one of another page', async () => {
      const client = await server().client();
      const user = await server().user();
      const { tab, form } = await consentForm(client, user);
      await expectNoConsent(client, await send(tab, without(form, 'form_token'), { decision: 'allow' }));
      const login = await loginForm(client, tab);
      await expectNoConsent(client, await send(tab, withToken(form, login.form), { decision: 'allow' }));
      const logout = formWith(await tab.visit('/logout'), ['decision']);
      await expectNoConsent(client, await send(tab, withToken(form, logout), { decision: 'allow' }));
      const other = formWith(await tab.visit(codeRequest(server(), await server().client()).url), ['decision']);
      await expectNoConsent(client, await send(tab, withToken(form, other), { decision: 'allow' }));
      expect(await server().repositories.consents.find(user.id, client.id)).to.deep.equal([]);
    });

    it("refuses an attacker's form in the victim's browser: the victim allows nothing unseen", async () => {
      const client = await server().client();
      const victim = await server().user();
      const theirs = await consentForm(client, await server().user());
      const { tab } = await authorize(server(), await server().client(), victim);
      await expectNoConsent(client, await send(tab, theirs.form, { decision: 'allow' }));
      expect(await server().repositories.consents.find(victim.id, client.id)).to.deep.equal([]);
    });

    it('refuses a form that was shown to one user once another has logged in, in the same browser', async () => {
      const client = await server().client();
      const [first, second] = [await server().user(), await server().user()];
      const { tab, form } = await consentForm(client, first);
      await authorize(server(), await server().client(), second, { prompt: 'login' }, tab);
      await expectNoConsent(client, await send(tab, form, { decision: 'allow' }));
      await expectNoConsent(client, await send(tab, form, { decision: 'switch' }));
      expect(await server().repositories.consents.find(second.id, client.id)).to.deep.equal([]);
    });

    it('refuses a form after the session has ended, and one without any cookie', async () => {
      const client = await server().client();
      const { tab, form } = await consentForm(client, await server().user());
      await expectNoConsent(client, await send(browser(server()), form, { decision: 'allow' }));
      await tab.submit(await tab.visit('/logout'), { decision: 'sign_out' });
      await expectNoConsent(client, await send(tab, form, { decision: 'allow' }));
    });

    for (const [name, headers] of Object.entries(CROSS_SITE)) {
      it(`refuses ${name}`, async () => {
        const client = await server().client();
        const { tab, form } = await consentForm(client, await server().user());
        const sent = headers['origin'] === '' ? { ...headers, origin: new URL(server().issuer).origin } : headers;
        await expectNoConsent(client, await send(tab, form, { decision: 'allow' }, sent));
      });
    }

    it('takes no decision from a URL', async () => {
      const client = await server().client();
      const { tab, form } = await consentForm(client, await server().user());
      const query = new URLSearchParams({ ...form.hidden, decision: 'allow' });
      const page = await tab.visit(`/authorize/resume?${query.toString()}`);
      expect(page.html).to.include('value="allow"');
      expect((await fetch(`${server().issuer}/consent?${query.toString()}`, { headers: { cookie: cookieHeader(tab) } })).status).to.equal(
        405,
      );
      expect(await server().repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([]);
    });
  });

  async function expectStillLoggedIn(tab: Browser, response: Response): Promise<void> {
    expect(response.status).to.equal(200);
    expect(await response.text()).to.include('Sign out?');
    expect(response.headers.getSetCookie().join()).not.to.include('keyturn_session');
    const { url } = await tab.visit(codeRequest(server(), await server().client(), { prompt: 'none' }).url);
    expect(url.searchParams.get('error')).to.equal('consent_required');
  }

  describe('logout', () => {
    it('asks instead, for a form without token, with another page’s, or with another browser’s', async () => {
      const user = await server().user();
      const { tab, form } = await logoutForm(user);
      await expectStillLoggedIn(tab, await send(tab, without(form, 'form_token'), { decision: 'sign_out' }));
      const consent = formWith(await tab.visit(codeRequest(server(), await server().client()).url), ['decision']);
      await expectStillLoggedIn(tab, await send(tab, withToken(form, consent), { decision: 'sign_out' }));
      await expectStillLoggedIn(tab, await send(tab, (await logoutForm(user)).form, { decision: 'sign_out' }));
    });

    for (const [name, headers] of Object.entries(CROSS_SITE)) {
      it(`asks instead, for ${name}`, async () => {
        const { tab, form } = await logoutForm(await server().user());
        const sent = headers['origin'] === '' ? { ...headers, origin: new URL(server().issuer).origin } : headers;
        await expectStillLoggedIn(tab, await send(tab, form, { decision: 'sign_out' }, sent));
      });
    }
  });

  it('against the client is for it to see: state comes back as it was sent, and PKCE binds the code to its request', async () => {
    const client = await server().client();
    const { arrival, state, code } = await authorize(server(), client, await server().user());
    expect(arrival.url.searchParams.get('state')).to.equal(state);
    const { verifier } = codeRequest(server(), client);
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: 'https://app.example/callback' };
    expect((await server().post('/token', form, client)).status).to.equal(400);
  });
});

const without = (form: Form, name: string): Form => ({
  ...form,
  hidden: Object.fromEntries(Object.entries(form.hidden).filter(([each]) => each !== name)),
});

const withToken = (form: Form, other: Form): Form => ({
  ...form,
  hidden: { ...form.hidden, form_token: other.hidden['form_token'] ?? '' },
});

async function expectNoLogin(response: Response): Promise<void> {
  expect(response.status).to.equal(400);
  expect(response.headers.getSetCookie().join()).not.to.include('keyturn_session');
  expect(await response.text()).to.include('open for too long');
}

const credentials = ({ username, password }: TestUser): Fields => ({ username, password });
