import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect } from 'chai';
import { browser, passPages } from '../support/browser.ts';
import { rawRequest } from '../support/raw-request.ts';
import { suiteServer } from '../support/suite-server.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';

const PROGRAM = join(import.meta.dirname, '..', '..', 'examples', 'native', 'login.mjs');

/** How a run ended. */
interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run that goes on. */
interface Run {
  readonly child: ChildProcess;
  readonly outcome: Promise<Outcome>;
}

describe('examples/native: a program that logs in with the browser of the system (RFC 8252)', function () {
  this.timeout(30_000);
  const server = suiteServer();
  let client: TestClient;
  let user: TestUser;
  let folder: string;
  let file: string;
  let opened: Server;
  let onOpened: ((url: URL) => void) | undefined;

  before(async () => {
    client = await server().client({
      token_endpoint_auth_method: 'none',
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/callback', 'http://[::1]/callback'],
      scope: 'openid profile',
      client_name: 'Notes for the shell',
    });
    // What the system's browser is told to open comes here.
    opened = createServer((request, response) => {
      onOpened?.(new URL(new URL(request.url ?? '/', 'http://127.0.0.1').searchParams.get('url') ?? ''));
      response.end();
    });
    await new Promise<void>((resolve) => {
      opened.listen(0, '127.0.0.1', resolve);
    });
  });
  after(() => opened.close());
  beforeEach(async () => {
    user = await server().user();
    folder = await temporaryFolder();
    file = join(folder, 'session.json');
  });

  async function run(verb: string, settings: Readonly<Record<string, string>> = {}): Promise<Run> {
    const program = join(folder, 'browser');
    const address = `http://127.0.0.1:${(opened.address() as AddressInfo).port}/`;
    await writeFile(program, `#!/bin/sh\n[ $# = 1 ] && exec curl -s -G '${address}' --data-urlencode "url=$1"\n`);
    await chmod(program, 0o700);
    const env = {
      PATH: process.env['PATH'],
      ISSUER: server().issuer,
      CLIENT_ID: client.id,
      SESSION_FILE: file,
      BROWSER: program,
      ...settings,
    };
    const child = spawn(process.execPath, [PROGRAM, verb], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    return { child, outcome: once(child, 'close').then(([code]) => ({ code: code as number | null, stdout, stderr })) };
  }

  const ended = async (verb: string, settings?: Readonly<Record<string, string>>): Promise<Outcome> => (await run(verb, settings)).outcome;

  /** Starts a login. @returns the run, and what the browser is told to open. */
  async function started(settings?: Readonly<Record<string, string>>): Promise<Run & { readonly url: URL }> {
    const url = new Promise<URL>((resolve) => {
      onOpened = resolve;
    });
    const running = await run('login', settings);
    const early = running.outcome.then((outcome): URL => {
      throw new Error(`it ended without a browser: ${JSON.stringify(outcome)}`);
    });
    early.catch(() => undefined);
    return { ...running, url: await Promise.race([url, early]) };
  }

  /** The user's part in it. @returns where the browser is sent. */
  async function answered(url: URL): Promise<URL> {
    const tab = browser(server());
    const arrival = await passPages(tab, await tab.visit(url), user);
    return new URL(arrival.url);
  }

  async function loggedIn(settings?: Readonly<Record<string, string>>): Promise<URL> {
    const { url, outcome } = await started(settings);
    const callback = await answered(url);
    expect((await fetch(callback)).status).to.equal(200);
    expect(await outcome).to.include({ code: 0, stdout: `Logged in as ${user.username}.\n` });
    return callback;
  }

  const remembered = async () => JSON.parse(await readFile(file, 'utf8')) as { readonly refreshToken: string };

  for (const [loopback, origin] of [
    ['127.0.0.1', 'http://127.0.0.1'],
    ['::1', 'http://[::1]'],
  ] as const) {
    it(`logs in at ${origin} on a port that was free, with PKCE and state (sections 6, 7.3 and 8.1)`, async () => {
      const { url, child, outcome } = await started({ LOOPBACK: loopback });
      const { searchParams } = url;
      expect(searchParams.get('redirect_uri')).to.match(/^http:\/\/(?:127\.0\.0\.1|\[::1\]):\d{2,5}\/callback$/);
      expect(searchParams.get('redirect_uri')?.startsWith(`${origin}:`)).to.equal(true);
      expect(searchParams.get('code_challenge_method')).to.equal('S256');
      expect(searchParams.get('state')).to.match(/^.{40,}$/);
      child.kill();
      await outcome;
      const [first, second] = [await loggedIn({ LOOPBACK: loopback }), await loggedIn({ LOOPBACK: loopback })];
      expect(first.origin).not.to.equal(second.origin);
    });
  }

  it('closes its port with the answer (section 8.3)', async () => {
    const { origin } = await loggedIn();
    const attempt: unknown = await fetch(origin).catch((error: unknown) => error);
    expect(attempt).to.be.an.instanceOf(TypeError);
  });

  it('keeps the refresh token where nobody else can read it, whatever was there before', async () => {
    await writeFile(file, '{}', { mode: 0o644 });
    await loggedIn();
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
    expect((await remembered()).refreshToken).to.match(/^kt_rt_/);
    expect(await readdir(folder)).to.have.members(['browser', 'session.json']);
  });

  it('refreshes with the next run, and the run after that', async () => {
    await loggedIn();
    const first = await remembered();
    for (let round = 0; round < 2; round++) {
      expect(await ended('whoami')).to.deep.equal({ code: 0, stdout: `${user.username}\n`, stderr: '' });
    }
    expect(await remembered()).not.to.deep.equal(first);
    expect((await stat(file)).mode & 0o777).to.equal(0o600);
  });

  it('logs out by revocation: what it knew is worth nothing', async () => {
    await loggedIn();
    const { refreshToken } = await remembered();
    expect(await ended('logout')).to.deep.equal({ code: 0, stdout: 'Logged out.\n', stderr: '' });
    const answer = await server().post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, client);
    expect(await answer.json()).to.include({ error: 'invalid_grant' });
    expect(await ended('whoami')).to.include({ code: 1, stderr: 'Nobody is logged in here.\n' });
  });

  it('forgets a login that was ended at the server', async () => {
    await loggedIn();
    await server().post('/revoke', { token: (await remembered()).refreshToken }, client);
    expect((await ended('whoami')).stderr).to.match(/^invalid_grant: /);
    expect((await ended('whoami')).stderr).to.equal('Nobody is logged in here.\n');
  });

  it('shows its refresh token to no other server', async () => {
    await loggedIn();
    const asked = new Promise<never>((_, reject) => {
      onOpened = () => reject(new Error('asked'));
    });
    const other = `http://127.0.0.1:${(opened.address() as AddressInfo).port}`;
    expect(await Promise.race([ended('whoami', { ISSUER: other }), asked])).to.include({ code: 1, stderr: 'Nobody is logged in here.\n' });
  });

  it('is not ended by what another program or page sends to its port', async () => {
    const { url, outcome } = await started();
    const callback = await answered(url);
    const forged = new URL(callback);
    forged.searchParams.set('state', 'another');
    expect((await fetch(forged)).status).to.equal(400);
    expect((await fetch(new URL('/callback?code=x', callback))).status).to.equal(400);
    expect((await fetch(new URL('/other', callback))).status).to.equal(404);
    // No URL at all: a parser throws at these, and any page can send them.
    for (const path of ['//', '//[', '/callback/../callback', 'http://[']) {
      expect([path, (await rawRequest(callback.origin, path)).status]).to.deep.equal([path, 404]);
    }
    expect((await fetch(callback, { method: 'POST' })).status).to.equal(404);
    expect((await fetch(callback)).status).to.equal(200);
    expect((await outcome).code).to.equal(0);
  });

  it('takes no answer of another issuer (RFC 9207 section 2.4)', async () => {
    for (const iss of ['https://evil.example', undefined]) {
      const { url, outcome } = await started();
      const callback = await answered(url);
      if (iss === undefined) {
        callback.searchParams.delete('iss');
      } else {
        callback.searchParams.set('iss', iss);
      }
      await fetch(callback);
      expect(await outcome).to.include({ code: 1, stdout: '' });
      expect(await readdir(folder)).to.deep.equal(['browser']);
    }
  });

  it('says that the user refused', async () => {
    const { url, outcome } = await started();
    const tab = browser(server());
    const consent = await tab.submit(await tab.visit(url), { username: user.username, password: user.password });
    expect(consent.html).to.include('Notes for the shell').and.to.include('this device (127.0.0.1)');
    await fetch((await tab.submit(consent, { decision: 'deny' })).url);
    expect(await outcome).to.include({ code: 1, stdout: '' });
    expect((await outcome).stderr).to.include('access_denied');
  });

  it('does not wait for ever', async () => {
    expect((await ended('login', { LOGIN_SECONDS: '0', BROWSER: 'true' })).stderr).to.include('Nobody logged in in time.');
  });

  it('says how it is used', async () => {
    expect(await ended('sing')).to.include({ code: 2, stdout: '' });
    expect(await ended('whoami', { CLIENT_ID: '' })).to.include({ code: 2 });
  });
});
