import { type FileHandle, open, readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { expect } from 'chai';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { createLog, type Log } from '../../src/http/log.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { answerOf } from '../support/answers.ts';
import { authorize, browser, codeRequest, cookieHeader, formWith } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { askFor, decide, deviceClient, poll } from '../support/device.ts';
import { codesOf, TWO_FACTORS, typePassword } from '../support/second-factor.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { REDIRECT_URI, startTestServer } from '../support/test-server.ts';

onEachDatabase('secrets in the log and in the database (RFC 6819 section 5.1.4.1)', (database) => {
  let location: DatabaseLocation;
  let server: TestServer;
  let log: Log;
  let logFile: FileHandle;
  let logPath: string;
  let client: TestClient;
  let user: TestUser;
  /** Whatever was given out, or typed, in the run, by what it is. */
  const secrets = new Map<string, string>();

  before(async () => {
    logPath = join(await temporaryFolder(), 'log.jsonl');
    logFile = await open(logPath, 'a');
    log = createLog({ level: 'trace', descriptor: logFile.fd });
    location = await database.create();
    server = await startTestServer(location, {}, log.logger);
    client = await server.client();
    user = await server.user();
    await wholeRun();
    await log.flush();
  });
  after(async () => {
    await server.close();
    await logFile.close();
  });

  function keep(what: string, secret: unknown): string {
    expect(secret, what).to.be.a('string').with.length.greaterThan(15);
    secrets.set(what, String(secret));
    return String(secret);
  }

  /** A day of a server: all that goes well, and all that goes wrong with a secret in the wrong place. */
  async function wholeRun(): Promise<void> {
    const publicClient = await server.client({ token_endpoint_auth_method: 'none' });
    const postClient = await server.client({ token_endpoint_auth_method: 'client_secret_post' });
    keep('client secret', client.secret);
    keep('client secret of a client_secret_post client', postClient.secret);
    keep('password', user.password);
    const { code, verifier, accessToken, refreshToken, session } = await aFlow('confidential', client);
    await aFlow('public', publicClient);
    const own = await answerOf(
      server.post('/token', { grant_type: 'client_credentials', client_id: postClient.id, client_secret: postClient.secret }),
    );
    keep('access token of a client for itself', own.body['access_token']);

    await aSecondFactor();
    await aDevice();
    await server.post('/introspect', { token: accessToken }, client);
    await server.post('/introspect', { token: refreshToken }, client);
    await server.post('/revoke', { token: accessToken }, client);
    const reused = await answerOf(
      server.post('/token', { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI }, client),
    );
    expect(reused.body['error']).to.equal('invalid_grant');
    for (const secret of [code, accessToken, refreshToken, client.secret, session]) {
      await misplace(secret);
      await misplaceInLists(secret);
    }
    await misplace(user.password);
  }

  /** Login, consent, code, tokens, refresh, retry, logout. */
  async function aFlow(
    name: string,
    as: TestClient,
  ): Promise<Readonly<Record<'code' | 'verifier' | 'accessToken' | 'refreshToken' | 'session', string>>> {
    const tab = browser(server);
    const { url, verifier } = codeRequest(server, as);
    keep(`code verifier (${name})`, verifier);
    const login = await tab.visit(url);
    keepForm(`login form (${name})`, login.html, ['password']);
    keep(`browser cookie (${name})`, tab.cookies.get('keyturn_browser'));
    const mistyped = await tab.submit(login, {
      username: user.username,
      password: keep(`mistyped password (${name})`, 'mistyped password, alas'),
    });
    const consent = await tab.submit(mistyped, { username: user.username, password: user.password });
    const session = keep(`session cookie (${name})`, tab.cookies.get('keyturn_session'));
    keepForm(`consent form (${name})`, consent.html, ['decision']);
    const arrival = await tab.submit(consent, { decision: 'allow' });
    const code = keep(`code (${name})`, arrival.url.searchParams.get('code'));
    const redeemed = await answerOf(
      server.post('/token', { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI }, as),
    );
    const refreshToken = keep(`refresh token (${name})`, redeemed.body['refresh_token']);
    const accessToken = keep(`access token (${name})`, redeemed.body['access_token']);
    const refresh = () => answerOf(server.post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, as));
    const refreshed = await refresh();
    keep(`second refresh token (${name})`, refreshed.body['refresh_token']);
    keep(`second access token (${name})`, refreshed.body['access_token']);
    keep(`third access token (${name})`, (await refresh()).body['access_token']);
    const logout = await tab.visit('/logout');
    keep(`logout form token (${name})`, formWith(logout, ['decision']).hidden['form_token']);
    await tab.submit(logout, { decision: 'sign_out' });
    return { code, verifier, accessToken, refreshToken, session };
  }

  /** Enrolment, a login with a wrong and with a right code, a recovery code. */
  async function aSecondFactor(): Promise<void> {
    const owner = await server.user();
    const { tab, page } = await typePassword(server, client, owner, { acr_values: TWO_FACTORS });
    keepForm('enrolment form', page.html, ['otp', 'offer']);
    const secret = keep('secret of an authenticator', /secret=([A-Z2-7]+)/.exec(page.html)?.[1]);
    const codes = await tab.submit(page, { otp: codesOf(secret, server)() });
    const recoveryCode = keep('recovery code', /<li><code[^>]*>([^<]+)</.exec(codes.html)?.[1]);
    keep('recovery code without hyphens', recoveryCode.replaceAll('-', ''));
    const half = await typePassword(server, client, owner);
    keepForm('form for a code', half.page.html, ['otp', 'login']);
    keep('half-done login', formWith(half.page, ['otp']).hidden['login']);
    const wrong = await half.tab.submit(half.page, { otp: keep('mistyped code', 'mistyped-code-alas') });
    await half.tab.submit(wrong, { otp: recoveryCode });
  }

  /** A device code, a user code that was typed, and another that was not right. */
  async function aDevice(): Promise<void> {
    const tv = await deviceClient(server);
    const device = await askFor(server, tv);
    keep('device code', device.device_code);
    keep('user code and its address', device.verification_uri_complete);
    secrets.set('user code', device.user_code);
    await server.get(`/device/qr.txt?user_code=${device.user_code}`);
    const tab = browser(server);
    await tab.submit(await tab.visit(device.verification_uri_complete), { user_code: 'BBBB-BBBB' });
    await decide(server, device, user, 'allow', tab);
    keep('refresh token of a device', (await poll(server, tv, device.device_code)).body['refresh_token']);
  }

  function keepForm(what: string, html: string, fields: readonly string[]): void {
    const { hidden } = formWith({ html }, fields);
    keep(`form token of the ${what}`, hidden['form_token']);
    keep(`signed request of the ${what}`, hidden['request']);
  }

  /** What people and programs do with secrets by mistake. */
  async function misplace(secret: string): Promise<void> {
    const encoded = encodeURIComponent(secret);
    for (const path of [
      `/token?token=${encoded}`,
      `/authorize?code=${encoded}`,
      `/${encoded}`,
      `/jwks?access_token=${encoded}`,
      `/logout?id_token_hint=${encoded}`,
    ]) {
      await server.get(path, { accept: 'text/html' });
      await server.post(path, { token: secret }, client);
    }
    const placements = [
      'code',
      'refresh_token',
      'grant_type',
      'client_id',
      'redirect_uri',
      'token',
      'token_type_hint',
      'code_verifier',
      'username',
    ];
    for (const placement of placements) {
      for (const grantType of ['authorization_code', 'refresh_token', 'client_credentials', 'password']) {
        await server.post('/token', { grant_type: grantType, [placement]: secret }, client);
      }
      await server.post('/revoke', { [placement]: secret }, client);
      await server.get(`/authorize?${placement}=${encoded}`);
      await browser(server).visit(codeRequest(server, client, { [placement]: secret, response_type: 'x' }).url);
    }
    await server.post('/token', { grant_type: 'client_credentials' }, { ...client, secret });
    await server.post('/token', { grant_type: 'client_credentials' }, { id: secret, secret });
    for (const authorization of [`Bearer ${secret}`, `Basic ${secret}`, secret]) {
      await fetch(`${server.issuer}/token`, { method: 'POST', headers: { authorization }, body: new URLSearchParams({ token: secret }) });
    }
    const headers = {
      'x-request-id': secret,
      referer: `https://app.example/?code=${encoded}`,
      cookie: `keyturn_session=${encoded}`,
      origin: secret,
    };
    await server.get('/logout', headers);
    await fetch(`${server.issuer}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ secret }),
    });
    // A password in the field of the name, and in the one that another site's form would fill.
    const tab = browser(server);
    const form = formWith(await tab.visit(codeRequest(server, client, { login_hint: secret }).url), ['password']);
    await fetch(server.issuer + form.action, {
      method: 'POST',
      body: new URLSearchParams({ ...form.hidden, username: secret, password: secret }),
      headers: { cookie: cookieHeader(tab) },
    });
  }

  /** In the parameters whose values a refusal may name. */
  async function misplaceInLists(secret: string): Promise<void> {
    for (const name of ['resource', 'scope']) {
      for (const grantType of ['client_credentials', 'refresh_token']) {
        await server.post('/token', { grant_type: grantType, refresh_token: secret, [name]: secret }, client);
      }
      await browser(server).visit(codeRequest(server, client, { [name]: secret }).url);
    }
  }

  function expectNoneIn(haystack: string | Buffer): void {
    const found = [...secrets].flatMap(([what, secret]) => {
      const trace = traces(secret).find((each) => haystack.includes(each));
      // Where, without the secret itself: test logs are logs too.
      return trace === undefined ? [] : [`${what}: ${around(haystack, trace)}`];
    });
    expect(found).to.deep.equal([]);
  }

  it('the run gave out every kind of secret', () => {
    expect(secrets.size).to.be.greaterThan(30);
    expect(new Set(secrets.values()).size).to.be.greaterThan(30);
  });

  it('none of them is in the log, at its most talkative', async () => {
    const text = await readFile(logPath, 'utf8');
    for (const known of [client.id, user.id, '"event":"login_failed"', '"event":"authorization_code_reuse"', '"route":"/token"']) {
      expect(text).to.include(known);
    }
    expect(text.split('\n').length).to.be.greaterThan(300);
    expectNoneIn(text);
  });

  it('none of them is in any table of the database', async () => {
    const dump = JSON.stringify(await everyRow());
    for (const known of [client.id, user.id, user.username, REDIRECT_URI, '$argon2id$']) {
      expect(dump).to.include(known);
    }
    expectNoneIn(dump);
  });

  it('none of them is in the bytes of the files, the write-ahead log included', async function () {
    if (location.kind !== 'sqlite') {
      return this.skip();
    }
    const folder = dirname(location.path);
    const files = (await readdir(folder)).filter((name) => location.kind === 'sqlite' && name.startsWith(basename(location.path)));
    expect(files).to.include(`${basename(location.path)}-wal`);
    const bytes = Buffer.concat(await Promise.all(files.map((name) => readFile(join(folder, name)))));
    expect(bytes.includes(user.id)).to.equal(true);
    expectNoneIn(bytes);
    for (const [what, secret] of secrets) {
      // The proof itself, as bytes: the MAC at the end of a self-proving token.
      if (/^(?:kt_[a-z]{2}_)?[\w-]{60,}$/.test(secret)) {
        expect(bytes.includes(Buffer.from(secret.slice(-43), 'base64url')), what).to.equal(false);
      }
    }
  });

  async function everyRow(): Promise<Readonly<Record<string, readonly unknown[]>>> {
    const opened = await openDatabase(location);
    try {
      const tables = await opened.rows<{ name: string }>(
        location.kind === 'sqlite'
          ? "SELECT name FROM sqlite_master WHERE type = 'table'"
          : "SELECT table_name AS name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'",
        [],
      );
      const dump: Record<string, readonly unknown[]> = {};
      for (const { name } of tables) {
        dump[name] = await opened.rows(`SELECT * FROM ${name}`, []);
      }
      expect(Object.keys(dump)).to.include.members([
        'clients',
        'users',
        'grants',
        'sessions',
        'consents',
        'login_attempts',
        'revoked_access_tokens',
      ]);
      return dump;
    } finally {
      await opened.close();
    }
  }

  it('a session that is still open, and a grant whose code was not redeemed, are no exception', async () => {
    const other = await server.user();
    const { code, tab } = await authorize(server, client, other);
    keep('code that was not redeemed', code);
    keep('session that is still open', tab.cookies.get('keyturn_session'));
    keep("another user's password", other.password);
    await log.flush();
    const dump = JSON.stringify(await everyRow());
    expect(dump).to.include(other.id);
    expectNoneIn(dump);
    expectNoneIn(await readFile(logPath, 'utf8'));
  });
});

/** A secret whole, and the end of a long one alone: the part of a token that proves it. */
const traces = (secret: string): readonly string[] => [
  secret,
  encodeURIComponent(secret),
  ...(secret.length > 60 ? [secret.slice(-24)] : []),
];

function around(haystack: string | Buffer, trace: string): string {
  const at = haystack.indexOf(trace);
  return `${haystack.slice(Math.max(0, at - 120), at).toString()}[…]${haystack.slice(at + trace.length, at + trace.length + 60).toString()}`;
}
