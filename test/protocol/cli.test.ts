import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTestServer, type TestClient, type TestServer } from '../support/test-server.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const TSX = import.meta.resolve('tsx');

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

onEachDatabase('the command line, while a server runs', (database) => {
  let server: TestServer;
  let folder: string;
  before(async () => {
    server = await startTestServer(await database.create());
    folder = await temporaryFolder();
  });
  after(() => server.close());

  function keyturn(argv: readonly string[], input = ''): Promise<Outcome> {
    return run(folder, settingsOf(server.config.database, server.config.keysDirectory), argv, input);
  }

  async function document<Document>(argv: readonly string[], input = ''): Promise<Document> {
    const { status, stdout, stderr } = await keyturn([...argv, '--json'], input);
    expect([status, stderr]).to.deep.equal([0, '']);
    return JSON.parse(stdout) as Document;
  }

  async function tokenStatus(client: TestClient): Promise<number> {
    return (await server.post('/token', { grant_type: 'client_credentials' }, client)).status;
  }

  it('makes a client that gets a token at once, gives it a second secret, and deletes it', async () => {
    const metadata = JSON.stringify({ grant_types: ['client_credentials'], scope: 'api:read' });
    const created = await document<{ client_id: string; client_secret: string }>(['client', 'create', '--file', '-'], metadata);
    const first = { id: created.client_id, secret: created.client_secret };
    expect(await tokenStatus(first)).to.equal(200);
    const rotated = await document<{ client_secret: string }>(['client', 'rotate-secret', first.id]);
    const second = { id: first.id, secret: rotated.client_secret };
    await until(async () => (await tokenStatus(second)) === 200);
    expect(await tokenStatus(first)).to.equal(200);
    await document(['client', 'rotate-secret', first.id, '--overlap', '0']);
    // The server's clock stands still unless it is moved, and the command's is the machine's.
    server.clock.advance(60);
    await until(async () => (await tokenStatus(second)) === 401);
    await document(['client', 'delete', first.id]);
    expect(await keyturn(['client', 'show', first.id])).to.include({ status: 1, stdout: '' });
  });

  it('makes a user who can log in, and lists and revokes the grant: the refresh token is refused', async () => {
    const client = await server.client();
    const password = '비밀번호 correct horse';
    const { sub } = await document<{ sub: string }>(['user', 'create', '--username', 'Alice', '--password-stdin'], `${password}\n`);
    const { refresh_token } = await logIn(server, client, { id: sub, username: 'alice', password });
    const grants = await document<{ grant_id: string; state: string }[]>(['grant', 'list', '--user', 'alice', '--client', client.id]);
    expect(grants.map(({ state }) => state)).to.deep.equal(['live']);
    await document(['grant', 'revoke', grants[0]?.grant_id ?? '']);
    expect((await refresh(server, client, refresh_token)).body.error).to.equal('invalid_grant');
  });

  it('disables a user: the refresh token is refused', async () => {
    const client = await server.client();
    const user = await server.user();
    const { refresh_token } = await logIn(server, client, user);
    await document(['user', 'disable', user.username]);
    expect((await refresh(server, client, refresh_token)).body.error).to.equal('invalid_grant');
  });

  it('rotates a signing key: the server publishes the new next one', async () => {
    // Not through `document`: a key that is seconds old comes with a warning, and that is right.
    const { status, stdout } = await keyturn(['key', 'rotate', '--alg', 'ES256', '--json']);
    expect(status).to.equal(0);
    const [rotation]: { next: string }[] = JSON.parse(stdout);
    await until(async () => (await (await server.get('/jwks')).text()).includes(rotation?.next ?? 'none'));
  });

  it('finds the schema up to date', async () => {
    expect(await document(['migrate', 'up'])).to.deep.equal({ applied: [] });
  });

  it('says why it refuses, on standard error alone', async () => {
    const { status, stdout, stderr } = await keyturn(['client', 'show', 'nobody', '--json']);
    expect([status, stdout]).to.deep.equal([1, '']);
    expect(stderr.trimEnd().split('\n')).to.have.length(1);
    expect(JSON.parse(stderr))
      .to.have.property('error_description')
      .that.matches(/there is no client "nobody"/);
  });
});

onEachDatabase('keyturn serve', (database) => {
  it('serves what was made before its first start, keeps a second server from the port, and ends with 0', async function serves() {
    this.timeout(30_000);
    const settings = { ...settingsOf(await database.create(), await temporaryFolder()), PORT: '0', NODE_ENV: 'test' };
    const folder = await temporaryFolder();
    const created = await run(folder, settings, [
      'client',
      'create',
      '--auth-method',
      'client_secret_post',
      '--grant-type',
      'client_credentials',
      '--json',
    ]);
    const { client_id: id, client_secret: secret }: { client_id: string; client_secret: string } = JSON.parse(created.stdout);
    const serving = start(folder, settings, ['serve']);
    try {
      const { url, issuer } = await listening(serving);
      const body = new URLSearchParams({ grant_type: 'client_credentials', client_id: id, client_secret: secret });
      const response = await fetch(`${issuer}/token`, { method: 'POST', body });
      expect(response.status).to.equal(200);
      const second = await run(folder, { ...settings, PORT: new URL(url).port }, ['serve', '--json']);
      expect(second.status).to.equal(2);
      expect(JSON.parse(second.stderr.trimEnd().split('\n').at(-1) ?? '')).to.include({ error: 'listen' });
    } finally {
      serving.kill('SIGTERM');
    }
    expect(await once(serving, 'exit')).to.deep.equal([0, null]);
  });
});

function settingsOf(location: DatabaseLocation, keysDirectory: string): Readonly<Record<string, string>> {
  return { DATABASE_URL: location.kind === 'sqlite' ? `sqlite:${location.path}` : location.url, KEYS_DIR: keysDirectory };
}

function start(folder: string, settings: Readonly<Record<string, string>>, argv: readonly string[]): ChildProcess {
  const env = { PATH: process.env['PATH'], ...settings };
  return spawn(process.execPath, [`--import=${TSX}`, PROGRAM, ...argv], { cwd: folder, env, stdio: ['pipe', 'pipe', 'pipe'] });
}

async function run(folder: string, settings: Readonly<Record<string, string>>, argv: readonly string[], input = ''): Promise<Outcome> {
  const child = start(folder, settings, argv);
  // A command that does not read its input may be gone before it is written.
  child.stdin?.on('error', () => undefined).end(input);
  const [stdout, stderr, [status]] = await Promise.all([textOf(child.stdout), textOf(child.stderr), once(child, 'exit')]);
  return { status: Number(status), stdout, stderr };
}

async function textOf(stream: ChildProcess['stdout']): Promise<string> {
  return stream === null ? '' : text(stream);
}

/** The log line that a server writes when it serves. */
async function listening({ stdout, stderr }: ChildProcess): Promise<{ readonly url: string; readonly issuer: string }> {
  if (stdout === null) {
    throw new Error('A process with pipes has them.');
  }
  stderr?.resume();
  for await (const line of createInterface({ input: stdout })) {
    const entry: { msg?: string; url: string; issuer: string } = JSON.parse(line);
    if (entry.msg === 'listening') {
      stdout.resume();
      return entry;
    }
  }
  throw new Error('The server ended before it served.');
}

/** Waits for something that another process sees within a second or two: it looks for changes once a second. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 8000;
  while (!(await holds())) {
    if (performance.now() > deadline) {
      throw new Error('It did not come about within 8 s.');
    }
    await pause(50);
  }
}
