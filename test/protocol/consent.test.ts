import { expect } from 'chai';
import type { Arrival, Browser } from '../support/browser.ts';
import { authorize, browser, codeRequest, formWith } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { REDIRECT_URI, startTestServer } from '../support/test-server.ts';

const API = 'https://api.example';
const FILES = 'https://files.example';

onEachDatabase('consent page', (database) => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create());
  });
  after(() => server.close());

  /** A browser in which the user is logged in, and has allowed nothing that a test asks for. */
  async function loggedIn(user: TestUser): Promise<Browser> {
    return (await authorize(server, await server.client(), user)).tab;
  }

  function ask(tab: Browser, client: TestClient, parameters: Readonly<Record<string, string | undefined>> = {}): Promise<Arrival> {
    return tab.visit(codeRequest(server, client, parameters).url);
  }

  const grantsOf = (client: TestClient) => server.repositories.grants.list({ clientId: client.id }, { limit: 10 });

  it('shows the client, the user, what is asked for, and where the browser goes next', async () => {
    const user = await server.user();
    const client = await server.client({
      client_name: 'Weather Station',
      allowed_resources: [API],
      policy_uri: 'https://app.example/privacy',
    });
    const { status, html } = await ask(await loggedIn(user), client, { scope: 'profile api:read', resource: API });
    expect(status).to.equal(200);
    for (const shown of [
      'Weather Station',
      user.username,
      'See your name',
      'api:read',
      API,
      'app.example',
      'https://app.example/privacy',
    ]) {
      expect(html).to.include(shown);
    }
    expect(html).not.to.include('api:write');
  });

  it('sends nothing before the user has decided', async () => {
    const client = await server.client();
    await ask(await loggedIn(await server.user()), client);
    expect(await grantsOf(client)).to.deep.equal([]);
  });

  it('answers access_denied, with state and iss, when the user says no; nothing is granted or remembered', async () => {
    const user = await server.user();
    const client = await server.client();
    const tab = await loggedIn(user);
    const request = codeRequest(server, client);
    const { url } = await tab.submit(await tab.visit(request.url), { decision: 'deny' });
    expect(url.origin + url.pathname).to.equal(REDIRECT_URI);
    expect(Object.fromEntries(url.searchParams)).to.deep.include({ error: 'access_denied', state: request.state, iss: server.issuer });
    expect(await grantsOf(client)).to.deep.equal([]);
    expect(await server.repositories.consents.find(user.id, client.id)).to.deep.equal([]);
    expect(server.events.at(-1)).to.deep.include({ event: 'consent_denied' });
    expect(isAsked(await ask(tab, client))).to.equal(true);
  });

  it('shows the page again for a decision that is none', async () => {
    const client = await server.client();
    const tab = await loggedIn(await server.user());
    for (const decision of ['', 'ALLOW', 'maybe']) {
      expect(isAsked(await tab.submit(await ask(tab, client), { decision }))).to.equal(true);
    }
    expect(await grantsOf(client)).to.deep.equal([]);
  });

  it('lets another account log in, and goes on with the same request', async () => {
    const client = await server.client();
    const [first, second] = [await server.user(), await server.user()];
    const tab = await loggedIn(first);
    const request = codeRequest(server, client);
    const login = await tab.submit(await tab.visit(request.url), { decision: 'switch' });
    expect(login.html).to.include('name="password"');
    expect(tab.cookies.has('keyturn_session')).to.equal(false);
    const consent = await tab.submit(login, { username: second.username, password: second.password });
    expect(consent.html).to.include(second.username).and.not.include(`>${first.username}<`);
    const { url } = await tab.submit(consent, { decision: 'allow' });
    expect(url.searchParams.get('state')).to.equal(request.state);
    expect((await grantsOf(client)).map(({ user }) => user.id)).to.deep.equal([second.id]);
  });

  describe('remembers what was allowed', () => {
    it('and asks no second time for the same, or less', async () => {
      const client = await server.client();
      const tab = await loggedIn(await server.user());
      await tab.submit(await ask(tab, client, { scope: 'openid api:read' }), { decision: 'allow' });
      for (const scope of ['openid api:read', 'api:read openid', 'openid']) {
        expect(hasCode(await ask(tab, client, { scope }))).to.equal(true);
      }
    });

    it('but asks for a scope that is new, and adds it to what was allowed before', async () => {
      const client = await server.client();
      const user = await server.user();
      const tab = await loggedIn(user);
      await tab.submit(await ask(tab, client, { scope: 'openid' }), { decision: 'allow' });
      const page = await ask(tab, client, { scope: 'openid api:write' });
      expect(isAsked(page)).to.equal(true);
      await tab.submit(page, { decision: 'allow' });
      expect(await server.repositories.consents.find(user.id, client.id)).to.include.members(['openid', 'api:write']);
      expect(hasCode(await ask(tab, client, { scope: 'api:write openid' }))).to.equal(true);
    });

    it('but asks for a resource that is new', async () => {
      const client = await server.client({ allowed_resources: [API, FILES] });
      const tab = await loggedIn(await server.user());
      await tab.submit(await ask(tab, client, { resource: API }), { decision: 'allow' });
      expect(hasCode(await ask(tab, client, { resource: API }))).to.equal(true);
      expect(isAsked(await ask(tab, client, { resource: FILES }))).to.equal(true);
    });

    it('for that user alone', async () => {
      const client = await server.client();
      const first = await loggedIn(await server.user());
      await first.submit(await ask(first, client), { decision: 'allow' });
      expect(isAsked(await ask(await loggedIn(await server.user()), client))).to.equal(true);
    });

    it('for that client alone', async () => {
      const tab = await loggedIn(await server.user());
      expect(isAsked(await ask(tab, await server.client()))).to.equal(true);
    });

    it('in every browser of the user', async () => {
      const client = await server.client();
      const user = await server.user();
      await authorize(server, client, user);
      const tab = browser(server);
      expect(hasCode(await tab.submit(await ask(tab, client), { username: user.username, password: user.password }))).to.equal(true);
    });

    it('even where the client asks for no scope at all', async () => {
      const client = await server.client({ scope: '' });
      const tab = await loggedIn(await server.user());
      const page = await ask(tab, client);
      expect(isAsked(page)).to.equal(true);
      await tab.submit(page, { decision: 'allow' });
      expect(hasCode(await ask(tab, client))).to.equal(true);
    });
  });

  it('comes each time with prompt=consent, and only once a request', async () => {
    const client = await server.client();
    const { tab } = await authorize(server, client, await server.user());
    const page = await ask(tab, client, { prompt: 'consent' });
    expect(isAsked(page)).to.equal(true);
    expect(hasCode(await tab.submit(page, { decision: 'allow' }))).to.equal(true);
  });

  describe('skip_consent', () => {
    it('lets a first-party client go on without asking', async () => {
      const client = await server.client({ skip_consent: true });
      const user = await server.user();
      expect(hasCode(await ask(await loggedIn(user), client))).to.equal(true);
      expect(await server.repositories.consents.find(user.id, client.id)).to.deep.equal([]);
    });

    it('gives way to prompt=consent', async () => {
      const client = await server.client({ skip_consent: true });
      expect(isAsked(await ask(await loggedIn(await server.user()), client, { prompt: 'consent' }))).to.equal(true);
    });
  });

  describe('a client that any program on the device could pretend to be (RFC 8252 section 8.6)', () => {
    const redirects = ['http://127.0.0.1/callback', 'http://[::1]/callback', 'http://localhost:8080/callback', 'com.example.app:/callback'];

    for (const redirectUri of redirects) {
      it(`is asked for each time, at ${redirectUri}`, async () => {
        const client = await server.client({ token_endpoint_auth_method: 'none', redirect_uris: [redirectUri] });
        const user = await server.user();
        const tab = await loggedIn(user);
        for (let round = 0; round < 2; round++) {
          const page = await ask(tab, client, { redirect_uri: redirectUri });
          expect(isAsked(page)).to.equal(true);
          expect(page.html).not.to.include('the same access is not asked for again');
          expect(hasCode(await tab.submit(page, { decision: 'allow' }))).to.equal(true);
        }
        const silent = await ask(tab, client, { redirect_uri: redirectUri, prompt: 'none' });
        expect(silent.url.searchParams.get('error')).to.equal('consent_required');
        expect(await server.repositories.consents.find(user.id, client.id)).to.deep.equal([]);
      });
    }

    it('is shown as what takes the answer: an app of the device, or the device (section 7.1)', async () => {
      for (const [redirectUri, words] of [
        ['com.example.app:/callback', 'the app com.example.app'],
        ['http://127.0.0.1/callback', 'this device (127.0.0.1)'],
        ['http://[::1]/callback', 'this device ([::1])'],
      ] as const) {
        const client = await server.client({ token_endpoint_auth_method: 'none', redirect_uris: [redirectUri] });
        const tab = await loggedIn(await server.user());
        const page = await ask(tab, client, { redirect_uri: redirectUri });
        expect(page.html).to.include(words);
        expect((await tab.submit(page, { decision: 'allow' })).url.href.startsWith(`${redirectUri}?code=`)).to.equal(true);
      }
    });

    it('is asked for no more where the operator registered it as first-party', async () => {
      const redirect_uri = 'http://127.0.0.1/callback';
      const client = await server.client({ token_endpoint_auth_method: 'none', redirect_uris: [redirect_uri], skip_consent: true });
      expect(hasCode(await ask(await loggedIn(await server.user()), client, { redirect_uri }))).to.equal(true);
    });

    it('is not a public client at an https address, nor one that authenticates', async () => {
      const atHttps = await server.client({ token_endpoint_auth_method: 'none' });
      const confidential = await server.client({ redirect_uris: ['http://127.0.0.1/callback'] });
      const user = await server.user();
      const tab = await loggedIn(user);
      for (const [client, redirect_uri] of [
        [atHttps, REDIRECT_URI],
        [confidential, 'http://127.0.0.1/callback'],
      ] as const) {
        await tab.submit(await ask(tab, client, { redirect_uri }), { decision: 'allow' });
        expect(hasCode(await ask(tab, client, { redirect_uri }))).to.equal(true);
      }
    });
  });

  describe('is rendered from, and decides on, the signed request alone', () => {
    it('so that fields added to the form change nothing', async () => {
      const client = await server.client();
      const other = await server.client({ redirect_uris: ['https://evil.example/callback'] });
      const tab = await loggedIn(await server.user());
      const page = await ask(tab, client, { scope: 'openid' });
      const form = formWith(page, ['decision']);
      const answer = await fetch(new URL(form.action, page.url), {
        method: 'POST',
        body: new URLSearchParams({
          ...form.hidden,
          decision: 'allow',
          scope: 'api:write',
          client_id: other.id,
          redirect_uri: 'https://evil.example/callback',
        }),
        headers: { cookie: [...tab.cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
        redirect: 'manual',
      });
      expect(answer.headers.get('location')).to.match(/^https:\/\/app\.example\/callback\?code=/);
      const [grant] = await grantsOf(client);
      expect(grant?.scope).to.deep.equal(['openid']);
      expect(await grantsOf(other)).to.deep.equal([]);
    });
  });
});

const isAsked = ({ html }: Arrival): boolean => html.includes('value="allow"');

const hasCode = ({ url }: Arrival): boolean => url.searchParams.has('code');
