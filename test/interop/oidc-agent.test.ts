import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { readAccessToken } from '../support/answers.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { decide, deviceClient } from '../support/device.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTestServer, type TestServer, type TestUser } from '../support/test-server.ts';

const run = promisify(execFile);

// Debian and others: apt-get install oidc-agent-cli.
describe('oidc-agent, by the device flow (RFC 8628), where it is installed', () => {
  const databases = sqliteDatabases();
  let server: TestServer;
  let user: TestUser;
  let environment: NodeJS.ProcessEnv;
  let agentProcess: number | undefined;

  before(async function prepare() {
    if (!(await isInstalled())) {
      this.skip();
    }
    server = await startTestServer(await databases.create(), { DEVICE_POLL_INTERVAL: '1s' });
    user = await server.user();
    const home = await temporaryFolder();
    await mkdir(join(home, '.oidc-agent'));
    const { PATH } = process.env;
    environment = { PATH, HOME: home, TMPDIR: home };
    const { stdout } = await run('oidc-agent', [], { env: environment });
    environment['OIDC_SOCK'] = /OIDC_SOCK=([^;]+);/.exec(stdout)?.[1];
    agentProcess = Number(/OIDCD_PID=(\d+);/.exec(stdout)?.[1]);
  });
  after(async () => {
    if (agentProcess !== undefined) {
      process.kill(agentProcess, 'SIGTERM');
    }
    await server?.close();
    await databases.dispose();
  });

  it('finds the server, shows the code, polls, and refreshes for whoever asks it for a token', async () => {
    const client = await deviceClient(server, { client_id: 'oidc-agent', scope: 'openid profile offline_access' });
    const account = ['--flow=device', `--issuer=${server.issuer}/`, `--client-id=${client.id}`, '--client-secret=', '--redirect-uri='];
    const quiet = ['--scope=openid profile offline_access', '--pw-cmd=echo secret', '--prompt=none', '--no-url-call', '--no-scheme'];
    const generator = spawn('oidc-gen', ['keyturn', ...account, ...quiet], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
    let told = '';
    const shown = new Promise<string>((resolve, reject) => {
      for (const stream of [generator.stdout, generator.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          told += text;
          const code = /enter the code: ([A-Z]{4}-[A-Z]{4})/.exec(told)?.[1];
          if (code !== undefined) {
            resolve(code);
          }
        });
      }
      generator.once('close', () => reject(new Error(`oidc-gen ended:\n${told}`)));
    });
    const done = once(generator, 'close');
    const address = {
      verification_uri: `${server.issuer}/device`,
      verification_uri_complete: '',
      device_code: '',
      expires_in: 0,
      interval: 0,
    };
    await decide(server, { ...address, user_code: await shown }, user);
    expect((await done)[0], told).to.equal(0);
    expect(told).to.include(`${server.issuer}/device`);

    const { stdout } = await run('oidc-token', ['keyturn'], { env: environment });
    // Longer than a token of this server lives: it has to refresh.
    const { stdout: refreshed } = await run('oidc-token', ['--time=3600', 'keyturn'], { env: environment });
    for (const token of [stdout, refreshed]) {
      const { claims } = await readAccessToken(server, token.trim());
      expect(claims).to.include({ sub: user.id, client_id: 'oidc-agent' });
    }
    const [grant] = await server.repositories.grants.list({ clientId: client.id }, { limit: 2 });
    expect(grant?.generation).to.be.greaterThan(1);
  }).timeout(30_000);
});

async function isInstalled(): Promise<boolean> {
  return run('oidc-gen', ['--version']).then(
    () => true,
    () => false,
  );
}
