import { hash } from '@node-rs/argon2';
import { expect } from 'chai';
import type { Arrival, Browser } from '../support/browser.ts';
import { authorize, browser, codeRequest, formWith, logIn, passPages } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestServer } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

const WRONG = 'not the password';

onEachDatabase('login page', (database) => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create());
  });
  after(() => server.close());

  async function loginPage(client: TestClient, tab: Browser, parameters: Readonly<Record<string, string>> = {}): Promise<Arrival> {
    return tab.visit(codeRequest(server, client, parameters).url);
  }

  it('asks for username and password, for the client by its name, and writes nothing', async () => {
    const client = await server.client({ client_name: 'Weather Station' });
    const tab = browser(server);
    const { status, html } = await loginPage(client, tab);
    expect(status).to.equal(200);
    expect(formWith({ html }, ['username', 'password', 'form_token', 'request']).action).to.equal('/login');
    expect(html).to.include('Weather Station');
    expect([...tab.cookies.keys()]).to.deep.equal(['keyturn_browser']);
  });

  it('gives the client a code for the user who logged in, and says so in the audit trail', async () => {
    const client = await server.client();
    const user = await server.user();
    await authorize(server, client, user);
    const [grant] = await server.repositories.grants.list({ clientId: client.id }, { limit: 1 });
    expect(grant?.user.id).to.equal(user.id);
    expect(grant?.authentication).to.deep.include({ authTime: server.clock.now(), methods: ['pwd'] });
    expect(server.events.filter(({ event, fields }) => event === 'login' && fields['userId'] === user.id)).to.have.length(1);
  });

  it('hashes a password anew whose hash is of weaker days, and asks for the same password ever after', async () => {
    const client = await server.client();
    const user = await server.user();
    const weak = await hash(user.password, { memoryCost: 8192, timeCost: 1, parallelism: 1, outputLen: 32 });
    await server.repositories.users.setPassword(user.id, weak, server.clock.now());
    for (let login = 0; login < 2; login++) {
      await authorize(server, client, user);
      const stored = (await server.repositories.users.find(user.id))?.passwordHash ?? '';
      expect(stored).to.match(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    }
  });

  it('takes the name in other cases and widths, with spaces around it', async () => {
    const client = await server.client();
    const user = await server.user();
    const fullWidth = user.username.replace('u', 'Ｕ');
    for (const username of [user.username.toUpperCase(), ` ${user.username} `, fullWidth]) {
      await authorize(server, client, { ...user, username });
    }
    const grants = await server.repositories.grants.list({ userId: user.id }, { limit: 10 });
    expect(grants).to.have.length(3);
  });

  it('answers a wrong password, an unknown user and a disabled user alike, and logs none of them in', async () => {
    const client = await server.client();
    const user = await server.user();
    const disabled = await server.user();
    await server.repositories.users.disable(disabled.id, server.clock.now());
    const attempts = [
      { username: user.username, password: WRONG },
      { username: 'nobody here', password: user.password },
      { username: disabled.username, password: disabled.password },
      { username: disabled.username, password: WRONG },
      { username: '', password: '' },
      { username: `${user.username}\u0000`.slice(0, -1), password: `${user.password} ` },
    ];
    const answers = [];
    for (const attempt of attempts) {
      const tab = browser(server);
      const { status, html } = await tab.submit(await loginPage(client, tab), attempt);
      expect(tab.cookies.has('keyturn_session')).to.equal(false);
      expect(html).not.to.include(user.password).and.not.include(WRONG);
      answers.push({ status, words: wordsOf(html) });
    }
    expect(answers[0]?.status).to.equal(400);
    expect(answers[0]?.words).to.include('username or the password is not right');
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).to.equal(1);
    expect(await server.repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([]);
  });

  it('lets the user try again on the page that refused', async () => {
    const client = await server.client();
    const user = await server.user();
    const tab = browser(server);
    const refused = await tab.submit(await loginPage(client, tab), { username: user.username, password: WRONG });
    expect(refused.html).to.include(`value="${user.username}"`);
    expect((await passPages(tab, refused, user)).url.searchParams.has('code')).to.equal(true);
  });

  describe('mid-flow', () => {
    it('refuses a user who was disabled while the login page was open', async () => {
      const client = await server.client();
      const user = await server.user();
      const tab = browser(server);
      const page = await loginPage(client, tab);
      await server.repositories.users.disable(user.id, server.clock.now());
      const answer = await tab.submit(page, { username: user.username, password: user.password });
      expect(answer.status).to.equal(400);
      expect(tab.cookies.has('keyturn_session')).to.equal(false);
    });

    it('asks for a login again, and makes no grant, when the user was disabled while the consent page was open', async () => {
      const client = await server.client();
      const user = await server.user();
      const tab = browser(server);
      const consent = await tab.submit(await loginPage(client, tab), { username: user.username, password: user.password });
      await server.repositories.users.disable(user.id, server.clock.now());
      const answer = await tab.submit(consent, { decision: 'allow' });
      expect(answer.html).to.include('name="password"');
      expect(await server.repositories.grants.list({ userId: user.id }, { limit: 1 })).to.deep.equal([]);
      expect(await server.repositories.consents.find(user.id, client.id)).to.deep.equal([]);
    });

    it('makes the code of a user worthless who was disabled before the client redeemed it', async () => {
      const client = await server.client();
      const user = await server.user();
      const { code, verifier } = await authorize(server, client, user);
      await server.repositories.users.disable(user.id, server.clock.now());
      const redirect_uri = 'https://app.example/callback';
      const answer = await server.post('/token', { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri }, client);
      expect(((await answer.json()) as { error: string }).error).to.equal('invalid_grant');
    });
  });

  async function guess(client: TestClient, username: string, password: string): Promise<Arrival> {
    const tab = browser(server);
    return tab.submit(await loginPage(client, tab), { username, password });
  }

  describe('throttle', () => {
    it('makes an account wait after five wrong passwords, for the right one too, and lets it in after the wait', async () => {
      const client = await server.client();
      const user = await server.user();
      for (let attempt = 0; attempt < 5; attempt++) {
        expect((await guess(client, user.username, WRONG)).status).to.equal(400);
      }
      const throttled = await guess(client, user.username, user.password);
      expect(throttled.status).to.equal(429);
      expect(throttled.html).to.include('Too many attempts');
      const wait = Number(throttled.headers.get('retry-after'));
      expect(wait).to.be.greaterThan(0);
      server.clock.advance(wait);
      expect((await guess(client, user.username, user.password)).html).to.include('name="decision"');
    });

    it('counts every spelling of a name as one account, and leaves other accounts alone', async () => {
      const client = await server.client();
      const user = await server.user();
      const { username } = user;
      for (const spelling of [username, username.toUpperCase(), ` ${username}`, `${username}  `, username.replace('u', 'ｕ')]) {
        expect((await guess(client, spelling, WRONG)).status).to.equal(400);
      }
      expect((await guess(client, username.replace('s', 'S'), user.password)).status).to.equal(429);
      const other = await server.user();
      expect((await guess(client, other.username, other.password)).status).to.equal(200);
    });

    it('treats a name that nobody has like one that somebody has', async () => {
      const client = await server.client();
      const statuses = [];
      for (let attempt = 0; attempt < 6; attempt++) {
        statuses.push((await guess(client, 'nobody of that name', WRONG)).status);
      }
      expect(statuses).to.deep.equal([400, 400, 400, 400, 400, 429]);
    });

    it('doubles the wait with each further guess', async () => {
      const client = await server.client();
      const user = await server.user();
      for (let attempt = 0; attempt < 5; attempt++) {
        await guess(client, user.username, WRONG);
      }
      const waits = [];
      for (let round = 0; round < 4; round++) {
        const wait = Number((await guess(client, user.username, WRONG)).headers.get('retry-after'));
        waits.push(wait);
        server.clock.advance(wait);
        expect((await guess(client, user.username, WRONG)).status).to.equal(400);
      }
      expect(waits).to.deep.equal([1, 2, 4, 8]);
    });
  });
});

describe('login throttle by address', () => {
  const direct = suiteServer();
  const proxied = suiteServer({ TRUST_PROXY: '127.0.0.0/8,::1' });

  it('makes an address wait after fifty failures at different names; X-Forwarded-For of a stranger changes nothing', async () => {
    const server = direct();
    const client = await server.client();
    const statuses = [];
    for (let attempt = 0; attempt < 50; attempt++) {
      statuses.push(await guessFrom(server, client, `198.51.100.${attempt}`, attempt));
    }
    expect(new Set(statuses)).to.deep.equal(new Set([400]));
    expect(await guessFrom(server, client, '203.0.113.9', 50)).to.equal(429);
    expect(server.events.at(-1)).to.deep.include({ event: 'login_throttled' });
    expect(server.events.at(-1)?.fields).to.deep.include({ by: 'address' });
    const user = await server.user();
    server.clock.advance(1);
    expect((await authorize(server, client, user)).code).to.be.a('string');
  });

  it('counts what a trusted proxy says, and not what a stranger wrote in front of it', async () => {
    const server = proxied();
    const client = await server.client();
    const statuses = await Promise.all(
      Array.from({ length: 10 }, async (_, batch) => {
        const own = [];
        for (let attempt = batch * 5; attempt < batch * 5 + 5; attempt++) {
          own.push(await guessFrom(server, client, `10.0.0.${attempt}, 198.51.100.7`, attempt));
        }
        return own;
      }),
    );
    expect(new Set(statuses.flat())).to.deep.equal(new Set([400]));
    expect(await guessFrom(server, client, '10.9.9.9, 198.51.100.7', 50)).to.equal(429);
    expect(await guessFrom(server, client, '198.51.100.8', 51)).to.equal(400);
  });
});

describe('a login beside tokens', () => {
  const server = suiteServer();

  it('is told in the access token as auth_time', async () => {
    const tokens = await logIn(server(), await server().client(), await server().user());
    const [, payload = ''] = tokens.access_token.split('.');
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
    expect(claims['auth_time']).to.equal(server().clock.now());
  });
});

/** The page without what differs from one showing to the next: hidden values, and the name that was typed. */
function wordsOf(html: string): string {
  return html
    .replaceAll(/(type="hidden" name="[a-z_]+" value=")[^"]*/g, '$1')
    .replaceAll(/(<input id="(?:username|password)")[^>]*/g, '$1');
}

/** One guess at a name of its own, as if it came from `address` through a proxy. */
async function guessFrom(server: TestServer, client: TestClient, address: string, attempt: number): Promise<number> {
  const tab = browser(server);
  const page = await tab.visit(codeRequest(server, client).url);
  return (await tab.submit(page, { username: `somebody${attempt}`, password: WRONG }, { 'x-forwarded-for': address })).status;
}
