import { expect } from 'chai';
import type { Arrival, Browser } from '../support/browser.ts';
import { authorize, browser, codeRequest, cookieHeader, formWith } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type Authenticator, authenticatorFor, codesOf, TWO_FACTORS, typePassword } from '../support/second-factor.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

const WRONG = 'not a code';

onEachDatabase('getting around the second factor (RFC 6238 section 5.2; RFC 4226 section 7.3; RFC 9700 section 4.7)', (database) => {
  let nodes: readonly [TestServer, TestServer];
  let server: TestServer;
  let client: TestClient;
  let user: TestUser;
  let authenticator: Authenticator;
  before(async () => {
    const location = await database.create();
    const settings = { KEYS_DIR: await temporaryFolder() };
    const first = await startTestServer(location, settings);
    nodes = [first, await startTestServer(location, settings)];
    server = first;
    // Their clocks stand still, and must stand at the same second.
    first.clock.advance(nodes[1].clock.now() - first.clock.now());
    client = await server.client({ skip_consent: true });
  });
  after(() => Promise.all(nodes.map((node) => node.close())));
  beforeEach(async () => {
    // All tests come from one address: what they guessed wrong is forgotten after an hour.
    for (const { clock } of nodes) {
      clock.advance(3600);
    }
    user = await server.user();
    authenticator = await authenticatorFor(server, user);
  });

  /** How many of several half-done logins, on both nodes, get in with one code at the same moment. */
  async function race(otp: string): Promise<number> {
    const halves = await Promise.all(
      [...nodes, ...nodes].map(async (node) => {
        const { tab, page } = await typePassword(node, client, user);
        return { tab, page };
      }),
    );
    const arrivals = await Promise.all(halves.map(({ tab, page }) => tab.submit(page, { otp })));
    return arrivals.filter(({ url }) => url.searchParams.has('code')).length;
  }

  /** Posts the code's form with other values in it, from a browser. @returns whether somebody is logged in there now. */
  async function post(
    tab: Browser,
    page: Arrival,
    changes: Readonly<Record<string, string>>,
    otp = authenticator.code(),
  ): Promise<boolean> {
    const { action, hidden } = formWith(page, ['otp']);
    const answer = await fetch(new URL(action, page.url), {
      method: 'POST',
      body: new URLSearchParams({ ...hidden, ...changes, otp }),
      headers: { cookie: cookieHeader(tab) },
      redirect: 'manual',
    });
    return answer.headers.getSetCookie().some((cookie) => cookie.startsWith('keyturn_session='));
  }

  /** The enrolment page of a user who has only a password. */
  async function enrolling(
    weak: TestUser,
    node = server,
  ): Promise<{ readonly tab: Browser; readonly page: Arrival; readonly secret: string }> {
    const { tab, page } = await typePassword(node, client, weak, { acr_values: TWO_FACTORS });
    const secret = (/<p class="secret"><code[^>]*>([^<]+)</.exec(page.html)?.[1] ?? '').replaceAll(' ', '');
    return { tab, page, secret };
  }

  it('a code lets one of several in that come at once, on two nodes', async () => {
    expect(await race(authenticator.code())).to.equal(1);
    expect(await race(authenticator.code())).to.equal(0);
  });

  it('a recovery code lets one of several in that come at once, on two nodes', async () => {
    const [code = ''] = authenticator.recoveryCodes;
    expect(await race(code)).to.equal(1);
    expect(await race(code)).to.equal(0);
  });

  it("another user's code or recovery code is none", async () => {
    const other = await authenticatorFor(server, await server.user());
    for (const otp of [other.code(), other.recoveryCodes[0] ?? '']) {
      const { tab, page } = await typePassword(server, client, user);
      expect((await tab.submit(page, { otp })).status).to.equal(400);
    }
  });

  it('guessing is slowed down after five codes, on both nodes together; the right password in between clears nothing', async () => {
    const statuses = [];
    for (let guess = 0; guess < 6; guess++) {
      const node = nodes[guess % 2] ?? server;
      const { tab, page } = await typePassword(node, client, user);
      statuses.push((await tab.submit(page, { otp: WRONG })).status);
    }
    expect(statuses).to.deep.equal([400, 400, 400, 400, 400, 429]);
    const { tab, page } = await typePassword(server, client, user);
    const right = await tab.submit(page, { otp: authenticator.code() });
    expect([right.status, tab.cookies.has('keyturn_session')]).to.deep.equal([429, false]);
    expect(Number(right.headers.get('retry-after'))).to.be.greaterThan(0);
    expect(server.events.at(-1)).to.deep.include({ event: 'second_factor_throttled' });
    // Another user's count is another one.
    const other = await server.user();
    const others = await authenticatorFor(server, other);
    const free = await typePassword(server, client, other);
    expect((await free.tab.submit(free.page, { otp: others.code() })).url.searchParams.has('code')).to.equal(true);
  });

  it('of twenty guesses at once five are looked at', async () => {
    const { tab, page } = await typePassword(server, client, user);
    const arrivals = await Promise.all(Array.from({ length: 20 }, () => tab.submit(page, { otp: WRONG })));
    expect(arrivals.filter(({ status }) => status === 400)).to.have.length(5);
    expect(arrivals.filter(({ status }) => status === 429)).to.have.length(15);
  });

  it('the second page cannot be skipped: no later address takes a login that is half done', async () => {
    const { tab, page } = await typePassword(server, client, user);
    const { hidden } = formWith(page, ['otp']);
    const { request = '', login = '' } = hidden;
    const resumed = await tab.visit(`${server.issuer}/authorize/resume?request=${request}`);
    expect(resumed.html).to.include('name="password"');
    for (const path of ['/consent', '/login', '/login/second-factor/enrolment', '/logout']) {
      const answer = await fetch(server.issuer + path, {
        method: 'POST',
        body: new URLSearchParams({ ...hidden, decision: 'allow', otp: authenticator.code() }),
        headers: { cookie: cookieHeader(tab) },
        redirect: 'manual',
      });
      expect(answer.headers.getSetCookie().join(), path).not.to.include('keyturn_session');
      expect(answer.headers.get('location') ?? '', path).not.to.include('code=');
    }
    tab.cookies.set('keyturn_session', login);
    const silent = await tab.visit(codeRequest(server, client, { prompt: 'none' }).url);
    expect(silent.url.searchParams.get('error')).to.equal('login_required');
    expect(await server.repositories.grants.list({ userId: user.id }, { limit: 1 })).to.deep.equal([]);
  });

  describe('a half-done login', () => {
    it('is of no use in another browser', async () => {
      const { tab, page } = await typePassword(server, client, user);
      const thief = browser(server);
      await thief.visit(codeRequest(server, client).url);
      expect(await post(thief, page, {})).to.equal(false);
      expect(await post(browser(server), page, {})).to.equal(false);
      expect(await post(tab, page, {})).to.equal(true);
    });

    it("cannot be swapped for another user's: whoever has one second factor has not everybody's", async () => {
      const victim = await server.user();
      await authenticatorFor(server, victim);
      // The attacker knows the victim's password, and has a factor of their own.
      const victims = await typePassword(server, client, victim);
      const own = await typePassword(server, client, user, {}, victims.tab);
      const { login = '' } = formWith(victims.page, ['otp']).hidden;
      expect(await post(victims.tab, own.page, { login })).to.equal(false);
      expect(await post(victims.tab, victims.page, {})).to.equal(false);
      expect(server.events.some(({ event, fields }) => event === 'login' && fields['userId'] === victim.id)).to.equal(false);
    });

    it('belongs to its request: an easier one cannot be put in its place, nor the signed one changed', async () => {
      const tab = browser(server);
      const easy = await tab.visit(codeRequest(server, client).url);
      const { page } = await typePassword(server, client, user, { scope: 'openid', acr_values: TWO_FACTORS }, tab);
      const { request = '', form_token = '', login = '' } = formWith(page, ['otp']).hidden;
      const { request: other = '' } = formWith(easy, ['password']).hidden;
      for (const changes of [
        { request: other },
        { request: `${request.slice(0, -2)}AA` },
        { form_token: '' },
        { form_token: `${form_token.slice(0, -2)}AA` },
        { login: `${login.slice(0, -2)}AA` },
        { login: '' },
      ]) {
        expect(await post(tab, page, changes), JSON.stringify(Object.keys(changes))).to.equal(false);
      }
      expect(await post(tab, page, { acr_values: '' })).to.equal(true);
    });
  });

  it('the class cannot be talked down between the pages: the request is signed, and the password alone gives no code', async () => {
    const weak = await server.user();
    const { tab, page } = await typePassword(server, client, weak, { acr_values: TWO_FACTORS });
    const { hidden } = formWith(page, ['otp', 'offer']);
    for (const changes of [{ acr_values: '' }, { request: `${hidden['request']?.slice(0, -2)}AA` }]) {
      const body = new URLSearchParams({ ...hidden, otp: '000000', ...changes });
      const init = { method: 'POST', body, headers: { cookie: cookieHeader(tab) }, redirect: 'manual' } as const;
      for (const path of ['/login/second-factor', '/login/second-factor/enrolment', '/consent']) {
        const answer = await fetch(server.issuer + path, init);
        expect(answer.headers.get('location') ?? '', path).not.to.include('code=');
      }
    }
    expect(await server.repositories.grants.list({ userId: weak.id }, { limit: 1 })).to.deep.equal([]);
  });

  it('a session that was known to a thief before the step-up is worth nothing after it (session fixation)', async () => {
    const weak = await server.user();
    const { tab } = await authorize(server, client, weak);
    const before = tab.cookies.get('keyturn_session') ?? '';
    const { code } = await authenticatorFor(server, weak);
    const page = await tab.visit(codeRequest(server, client, { acr_values: TWO_FACTORS }).url);
    expect((await tab.submit(page, { otp: code() })).url.searchParams.has('code')).to.equal(true);
    const thief = browser(server);
    thief.cookies.set('keyturn_session', before);
    const { url } = await thief.visit(codeRequest(server, client, { prompt: 'none' }).url);
    expect(url.searchParams.get('error')).to.equal('login_required');
  });

  describe('an enrolment', () => {
    it('puts no second authenticator in the place of the first, though its page was open before', async () => {
      const weak = await server.user();
      const { tab, page, secret } = await enrolling(weak);
      const { code } = await authenticatorFor(server, weak);
      const before = await server.repositories.secondFactors.find(weak.id);
      const answer = await tab.submit(page, { otp: codesOf(secret, server)() });
      expect(answer.html).to.include('name="otp"');
      expect(answer.html).not.to.include('class="codes"');
      expect(await server.repositories.secondFactors.find(weak.id)).to.deep.equal(before);
      expect((await tab.submit(answer, { otp: code() })).url.searchParams.has('code')).to.equal(true);
    });

    it('is not open to whoever took over a session: the password is asked for first', async () => {
      const weak = await server.user();
      const { tab } = await authorize(server, client, weak);
      server.clock.advance(300);
      nodes[1].clock.advance(300);
      const thief = browser(server);
      thief.cookies.set('keyturn_session', tab.cookies.get('keyturn_session') ?? '');
      const page = await thief.visit(codeRequest(server, client, { acr_values: TWO_FACTORS }).url);
      expect(page.html).to.include('name="password"').and.not.include('otpauth:');
      // Its user goes on with it.
      const own = await tab.visit(codeRequest(server, client, { acr_values: TWO_FACTORS }).url);
      expect((await tab.submit(own, { username: weak.username, password: weak.password })).html).to.include('otpauth:');
    });

    it('of two at once, on two nodes, is done once', async () => {
      const weak = await server.user();
      const both = await Promise.all(nodes.map((node) => enrolling(weak, node)));
      const answers = await Promise.all(both.map(({ tab, page, secret }) => tab.submit(page, { otp: codesOf(secret, server)() })));
      expect(answers.filter(({ html }) => html.includes('class="codes"'))).to.have.length(1);
      expect(await server.repositories.secondFactors.countRecoveryCodes(weak.id)).to.equal(10);
    });

    it("takes neither another user's offer nor a form of another session", async () => {
      const [weak, attacker] = [await server.user(), await server.user()];
      const victims = await enrolling(weak);
      const attackers = await enrolling(attacker);
      const own = formWith(victims.page, ['otp', 'offer']).hidden;
      const theirs = formWith(attackers.page, ['otp', 'offer']).hidden;
      for (const changes of [{ offer: theirs['offer'] ?? '' }, { form_token: theirs['form_token'] ?? '' }, theirs]) {
        await fetch(`${server.issuer}/login/second-factor/enrolment`, {
          method: 'POST',
          body: new URLSearchParams({ ...own, ...changes, otp: codesOf(attackers.secret, server)() }),
          headers: { cookie: cookieHeader(victims.tab) },
          redirect: 'manual',
        });
        expect(await server.repositories.secondFactors.find(weak.id)).to.equal(undefined);
      }
    });
  });
});
