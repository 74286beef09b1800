import { expect } from 'chai';
import { createPasswords } from '../../src/accounts/password.ts';
import { identifierFromBytes } from '../../src/core/identifiers.ts';
import type { Session } from '../../src/interaction/session.ts';
import { authorize, type Browser, browser, codeRequest, cookieHeader, formWith } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestServer } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

const HOUR = 3600;
const DAY = 24 * HOUR;

onEachDatabase('browser session', (database) => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create(), { SESSION_IDLE_TTL: '8h', SESSION_ABSOLUTE_TTL: '14d' });
  });
  after(() => server.close());

  async function isLoggedIn(tab: Browser, client: TestClient): Promise<boolean> {
    const { url } = await tab.visit(codeRequest(server, client, { prompt: 'none' }).url);
    const error = url.searchParams.get('error');
    expect(error).to.be.oneOf([null, 'login_required']);
    return error === null;
  }

  it('begins with the login, and not before', async () => {
    const client = await server.client();
    const tab = browser(server);
    await tab.visit(codeRequest(server, client).url);
    expect(tab.cookies.has('keyturn_session')).to.equal(false);
    const user = await server.user();
    await authorize(server, client, user, {}, tab);
    expect(await liveSession(server, tab)).to.deep.include({ userId: user.id, authTime: server.clock.now() });
  });

  it('is a new one after each login, and the old one has ended (RFC 9700 section 4.7, session fixation)', async () => {
    const client = await server.client();
    const user = await server.user();
    const { tab } = await authorize(server, client, user);
    const before = tab.cookies.get('keyturn_session') ?? '';
    await authorize(server, client, user, { prompt: 'login' }, tab);
    expect(tab.cookies.get('keyturn_session')).not.to.equal(before);
    const thief = browser(server);
    thief.cookies.set('keyturn_session', before);
    expect(await isLoggedIn(thief, client)).to.equal(false);
    expect(await liveSession(server, thief)).to.equal(undefined);
  });

  it('that was planted in a browser is not the one its user logs in to', async () => {
    const client = await server.client();
    const [attacker, victim] = [await server.user(), await server.user()];
    const planted = (await authorize(server, client, attacker)).tab;
    const tab = browser(server);
    for (const [name, value] of planted.cookies) {
      tab.cookies.set(name, value);
    }
    await authorize(server, client, victim, { prompt: 'login' }, tab);
    expect(tab.cookies.get('keyturn_session')).not.to.equal(planted.cookies.get('keyturn_session'));
    expect((await liveSession(server, planted))?.userId).not.to.equal(victim.id);
  });

  it('ends when it is not used for as long as SESSION_IDLE_TTL', async () => {
    const client = await server.client();
    const { tab } = await authorize(server, client, await server.user());
    server.clock.advance(8 * HOUR - 1);
    expect(await isLoggedIn(tab, client)).to.equal(true);
    server.clock.advance(8 * HOUR);
    expect(await isLoggedIn(tab, client)).to.equal(false);
  });

  it('lives on while it is used, and ends with SESSION_ABSOLUTE_TTL all the same', async () => {
    const client = await server.client();
    const { tab } = await authorize(server, client, await server.user());
    const start = server.clock.now();
    while (server.clock.now() < start + 14 * DAY - 7 * HOUR) {
      server.clock.advance(7 * HOUR);
      expect(await isLoggedIn(tab, client)).to.equal(true);
    }
    server.clock.advance(start + 14 * DAY - server.clock.now());
    expect(await isLoggedIn(tab, client)).to.equal(false);
  });

  it('ends, in every browser, when the password is changed', async () => {
    const client = await server.client();
    const user = await server.user();
    const tabs = [(await authorize(server, client, user)).tab, (await authorize(server, client, user)).tab];
    await server.repositories.users.setPassword(user.id, await createPasswords().hash('another password'), server.clock.now());
    for (const tab of tabs) {
      expect(await isLoggedIn(tab, client)).to.equal(false);
    }
  });

  it('ends when the user is disabled, and is not back when the user is', async () => {
    const client = await server.client();
    const user = await server.user();
    const { tab } = await authorize(server, client, user);
    await server.repositories.users.disable(user.id, server.clock.now());
    expect(await isLoggedIn(tab, client)).to.equal(false);
    await server.repositories.users.enable(user.id, server.clock.now());
    expect(await isLoggedIn(tab, client)).to.equal(false);
  });

  it("of one user is not another's, whatever browsers they share their other cookies with", async () => {
    const client = await server.client();
    const [first, second] = [await server.user(), await server.user()];
    const { tab } = await authorize(server, client, first);
    await authorize(server, client, second, { prompt: 'login' }, tab);
    expect((await liveSession(server, tab))?.userId).to.equal(second.id);
  });
});

describe('session cookie', () => {
  const http = suiteServer();
  const https = suiteServer({ ISSUER: 'https://login.example' });

  it('is HttpOnly, SameSite=Lax and for the whole host, under an http issuer not Secure', async () => {
    const [browserId = '', session = '', ...more] = await cookiesSet(http());
    expect(more).to.deep.equal([]);
    expect(browserId).to.match(/^keyturn_browser=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(session).to.match(/^keyturn_session=[\w-]+; Max-Age=1209600; Path=\/; HttpOnly; SameSite=Lax$/);
  });

  it('is Secure and has the prefix __Host- where the issuer is https (RFC 6265bis section 4.1.3.2)', async () => {
    const [browserId = '', session = '', ...more] = await cookiesSet(https());
    expect(more).to.deep.equal([]);
    expect(browserId).to.match(/^__Host-keyturn_browser=[\w-]{22}; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    expect(session).to.match(/^__Host-keyturn_session=[\w-]+; Max-Age=1209600; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
  });

  it('counts under https only with the prefix, which no other host can have set', async () => {
    const server = https();
    const at = { issuer: server.url };
    const tab = browser(at);
    const client = await server.client();
    const user = await server.user();
    const page = await tab.visit(codeRequest(at, client).url);
    await tab.submit(page, { username: user.username, password: user.password });
    const session = tab.cookies.get('__Host-keyturn_session') ?? '';
    expect(session).not.to.equal('');
    const planted = browser(at);
    planted.cookies.set('keyturn_session', session);
    const { url } = await planted.visit(codeRequest(at, client, { prompt: 'none' }).url);
    expect(url.searchParams.get('error')).to.equal('login_required');
  });

  it('that is broken, foreign or empty is as good as none', async () => {
    const server = http();
    const client = await server.client();
    const { tab, code } = await authorize(server, client, await server.user());
    const genuine = tab.cookies.get('keyturn_session') ?? '';
    const flipped = Buffer.from(genuine, 'base64url');
    flipped.writeUInt8(flipped.readUInt8(0) ^ 1, 0);
    for (const value of ['', 'x', '%', '%00', genuine.slice(0, -1), `${genuine}A`, flipped.toString('base64url'), code, 'a'.repeat(4000)]) {
      const forged = browser(server);
      forged.cookies.set('keyturn_session', value);
      const { url } = await forged.visit(codeRequest(server, client, { prompt: 'none' }).url);
      expect(url.searchParams.get('error'), value).to.equal('login_required');
    }
  });
});

/** The record behind the browser's session cookie. */
async function liveSession(server: TestServer, tab: Browser): Promise<Session | undefined> {
  const cookie = Buffer.from(tab.cookies.get('keyturn_session') ?? '', 'base64url');
  return server.repositories.sessions.findLive(identifierFromBytes(cookie, 0), server.clock.now());
}

/** The `Set-Cookie` fields of the login page and of the login. */
async function cookiesSet(server: TestServer): Promise<readonly string[]> {
  const at = { issuer: server.url };
  const user = await server.user();
  const tab = browser(at);
  const page = await fetch(codeRequest(at, await server.client()).url);
  const fields = page.headers.getSetCookie();
  await tab.visit(codeRequest(at, await server.client()).url);
  const login = await tab.visit(codeRequest(at, await server.client()).url);
  const { hidden } = formWith(login, ['password']);
  const answer = await fetch(`${server.url}/login`, {
    method: 'POST',
    body: new URLSearchParams({ ...hidden, username: user.username, password: user.password }),
    headers: { cookie: cookieHeader(tab) },
    redirect: 'manual',
  });
  expect(answer.status).to.equal(303);
  return [...fields, ...answer.headers.getSetCookie()];
}
