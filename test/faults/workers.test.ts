import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { onEachDatabase } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { rotationLoad } from '../support/rotation-load.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { type TokenRequests, tokenRequests } from '../support/token-requests.ts';

const CLIENTS = 60;

onEachDatabase('two workers that share a port (WORKERS)', (databases) => {
  let deployment: Deployment;
  let requests: TokenRequests;
  let server: ServerProcess;

  before(async function prepare() {
    this.timeout(60_000);
    deployment = await prepareDeployment(await databases.create(), { REFRESH_TOKEN_GRACE: '60s', WORKERS: '2' });
    server = await deployment.start();
    requests = tokenRequests(deployment.client);
  });
  after(async () => {
    requests?.close();
    await deployment?.end();
  });

  it('are told of once, when all of them serve', () => {
    const lines = server.log.filter(({ msg }) => msg === 'listening');
    expect(lines).to.have.length(1);
    expect(lines[0]).to.include({ workers: 2, url: server.url });
  });

  it('share the work, and give one successor a token between them', async function share() {
    this.timeout(60_000);
    const load = rotationLoad(await deployment.grants(CLIENTS), requests);
    const before = await Promise.all((await workersOf(server)).map(cpuOf));
    const running = load.start(server.url);
    await pause(3000);
    await running.stop();
    expect(load.violations).to.deep.equal([]);
    expect(load.tally).to.include({ lost: 0, unavailable: 0 });
    expect(load.tally.acknowledged).to.be.greaterThan(CLIENTS);
    const after = await Promise.all((await workersOf(server)).map(cpuOf));
    for (const [index, ticks] of after.entries()) {
      expect(ticks).to.be.greaterThan(before[index] ?? Number.POSITIVE_INFINITY);
    }
    const recorded = await deployment.recorded(load.clients.map(({ grantId }) => grantId));
    const held = load.clients.map(({ token }) => deployment.credentials.proveRefreshToken(token)?.generation);
    expect(recorded.map(({ generation, revokedAt }) => [generation, revokedAt])).to.deep.equal(
      held.map((generation) => [generation, undefined]),
    );
  });

  it('are replaced when they are killed, and what they had acknowledged is there', async function kill() {
    this.timeout(90_000);
    const load = rotationLoad(await deployment.grants(CLIENTS), requests);
    for (let round = 0; round < 5; round++) {
      const running = load.start(server.url);
      await pause(100 + round * 50);
      const workers = await workersOf(server);
      process.kill(workers[round % 2] ?? 0, 'SIGKILL');
      await pause(50);
      await running.stop();
      // The other one answers all along.
      await load.repeatLast(server.url);
      expect(load.violations).to.deep.equal([]);
      await until(async () => {
        const present = await workersOf(server);
        return present.length === 2 && !present.includes(workers[round % 2] ?? 0);
      });
    }
    expect(server.log.filter(({ msg }) => String(msg).startsWith('a worker ended'))).to.have.length(5);
    expect(server.log.filter(({ event }) => event === 'refresh_token_reuse' || event === 'refresh_token_ahead_of_database')).to.deep.equal(
      [],
    );
  });

  it('end together on SIGTERM, with what is in flight done', async function stop() {
    this.timeout(30_000);
    const workers = await workersOf(server);
    const load = rotationLoad(await deployment.grants(CLIENTS), requests);
    const running = load.start(server.url);
    await pause(300);
    const startedAt = performance.now();
    const exit = await server.stop();
    await running.stop();
    expect([exit.code, exit.stderr]).to.deep.equal([0, '']);
    expect(performance.now() - startedAt).to.be.lessThan(10_000);
    expect(load.violations).to.deep.equal([]);
    for (const pid of workers) {
      expect(() => process.kill(pid, 0)).to.throw();
    }
  });

  it('end the start when the port is taken, with one line that says so', async function taken() {
    this.timeout(30_000);
    const first = await deployment.start({ WORKERS: '1' });
    const exit = await deployment.refusesToStart();
    expect(exit.code).to.equal(2);
    expect(exit.stderr).to.match(/^keyturn: cannot listen on [^\n]+ something else listens there/);
    await first.stop();
  });

  it('end the start when a first one is killed, and not with the status of success', async function killed() {
    this.timeout(30_000);
    await server.stop();
    const dies = "import cluster from 'node:cluster'; if (cluster.isWorker) process.kill(process.pid, 'SIGKILL')";
    const exit = await deployment.refusesToStart({ NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(dies)}` });
    expect([exit.code, exit.signal]).to.deep.equal([1, null]);
  });
});

/** Process ids of the workers, by the process table. */
async function workersOf({ pid }: ServerProcess): Promise<readonly number[]> {
  const names = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const parents = await Promise.all(names.map(async (name) => [Number(name), await fieldOf(Number(name), 4)] as const));
  return parents.flatMap(([child, parent]) => (parent === pid ? [child] : []));
}

/** proc(5): a field of `/proc/PID/stat`; the name in field 2 may contain spaces. NaN when it is gone. */
async function fieldOf(pid: number, field: number): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return Number(text.split(') ')[1]?.split(' ')[field - 3] ?? Number.NaN);
}

async function cpuOf(pid: number): Promise<number> {
  return (await fieldOf(pid, 14)) + (await fieldOf(pid, 15));
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!(await holds())) {
    if (performance.now() > deadline) {
      throw new Error('It never came to that.');
    }
    await pause(20);
  }
}
