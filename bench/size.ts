import { mkdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseLocation } from '../src/config/config.ts';
import type { Database } from '../src/storage/database.ts';
import { openDatabase } from '../src/storage/open-database.ts';
import { type Deployment, prepareDeployment } from '../test/support/deployment.ts';
import { startPostgresCluster } from '../test/support/postgres-cluster.ts';
import type { ServerProcess } from '../test/support/server-process.ts';
import { type BulkGrants, CLIENTS, countGrants, expireOldest, fill, insertCodes, removeGrants } from './bulk-grants.ts';
import { codeExchange, type GrantLoad, grantLoad, type Latencies, lasting, rotations, type Task } from './grant-load.ts';
import { cpuOf } from './process-figures.ts';

/**
 * `node --import=tsx bench/size.ts [--grants 10000000 --expired 1000000 --database sqlite|postgres --rounds 5 --seconds 4 --cleanup-rounds 5
 * --json]`: a database
 * of ten thousand grants and a large one, each with a server of its own, measured in turn; then the cleanup of what expired in the large one.
 * Databases are made in `.bench-data/` and removed. Ratios count; absolute figures are those of the machine at that moment.
 */

const SMALL = 10_000;
const CONNECTIONS = 32;
const CODES_A_ROUND = 3000;
const CLEANUP_SECONDS = 20;
const CLEANUP_RATE = 200;
/** The server begins to clean up a minute after its start. */
const CLEANUP_AFTER_MILLISECONDS = 62_000;

const kind = process.argv.includes('postgres') ? 'postgres' : 'sqlite';
const large = option('grants', 10_000_000);
const expiring = option('expired', Math.floor(large / 10));
const rounds = option('rounds', 5);
const seconds = option('seconds', 4);
const cleanupRounds = option('cleanup-rounds', 5);
const folder = join(import.meta.dirname, '..', '.bench-data', kind);

interface Side {
  readonly deployment: Deployment;
  readonly database: Database;
  readonly grants: BulkGrants;
  readonly bytesAGrant: number;
  /** Where each rotated grant is at; 1 for the others. */
  readonly generations: Map<number, number>;
}

interface Running {
  readonly side: Side;
  readonly server: ServerProcess;
  readonly load: GrantLoad;
  readonly rotate: () => Task;
}

interface Row {
  readonly what: string;
  readonly small?: number;
  readonly large: number;
  readonly ratio?: number;
  /** The ratio that is aimed for. */
  readonly goal?: number;
}

const cluster = kind === 'postgres' ? await startPostgresCluster() : undefined;
const table: Row[] = [];
try {
  const small = await prepare(SMALL);
  const big = await prepare(large);
  table.push({ what: 'bytes a grant, with its share of users and sessions', small: small.bytesAGrant, large: big.bytesAGrant });
  await starts(small, big);
  await speed(small, big);
  note(printed());
  await cleanup(big);
  for (const { deployment, database } of [small, big]) {
    await deployment.end();
    await database.close();
  }
} finally {
  await cluster?.destroy();
  await rm(folder, { recursive: true, force: true });
}
process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify({ kind, large, table }, undefined, 2)}\n` : printed());

async function prepare(count: number): Promise<Side> {
  const location = await locationFor(count);
  const deployment = await prepareDeployment(location, { RATE_LIMITS: 'off' });
  const beganAt = performance.now();
  const filling = await openDatabase(location);
  const grants = await fill(filling, deployment.client.id, count);
  await filling.close();
  note(`${count} grants in ${((performance.now() - beganAt) / 1000).toFixed(0)} s`);
  const database = await openDatabase(location);
  return { deployment, database, grants, bytesAGrant: (await bytesOf(location, database)) / count, generations: new Map() };
}

async function locationFor(count: number): Promise<DatabaseLocation> {
  if (cluster === undefined) {
    await mkdir(folder, { recursive: true });
    return { kind: 'sqlite', path: join(folder, `${count}.sqlite`) };
  }
  const admin = await openDatabase({ kind: 'postgres', url: cluster.url });
  await admin.run((knex) => knex.raw(`CREATE DATABASE grants_${count} TEMPLATE template0`));
  await admin.close();
  const url = new URL(cluster.url);
  url.pathname = `/grants_${count}`;
  return { kind: 'postgres', url: url.href };
}

async function bytesOf(location: DatabaseLocation, database: Database): Promise<number> {
  if (location.kind === 'sqlite') {
    return (await stat(location.path)).size;
  }
  const [row] = await database.rows<{ readonly bytes: number }>('SELECT pg_database_size(current_database()) AS bytes', []);
  const [own] = await database.rows<{ readonly bytes: number }>("SELECT pg_total_relation_size('grants') AS bytes", []);
  note(`grants and their indexes: ${own?.bytes} bytes`);
  return row?.bytes ?? Number.NaN;
}

/** From the start of the process to its first token, in turn. */
async function starts(...sides: readonly Side[]): Promise<void> {
  const times: number[][] = sides.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, side] of sides.entries()) {
      const beganAt = performance.now();
      const running = await start(side);
      await running.load.run(1, once({ path: '/token', form: { grant_type: 'client_credentials' }, done: () => undefined }));
      times[index]?.push(performance.now() - beganAt);
      await stop(running);
    }
  }
  const [small = Number.NaN, big = Number.NaN] = times.map(median);
  table.push({ what: 'start to first token, ms', small, large: big, ratio: big / small });
}

/** Rotation and code exchange, the small and the large database in turn. */
async function speed(small: Side, big: Side): Promise<void> {
  const running = [await start(small), await start(big)];
  const samples = new Map<string, [number[], number[]]>();
  // One more round than counted: the first warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const index of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const one = running[index];
      if (one === undefined) {
        throw new Error('a server is missing');
      }
      const rotating = await measured(one, () => one.load.run(CONNECTIONS, lasting(seconds, one.rotate)));
      const codes = await insertCodes(one.side.database, one.side.deployment.client.id, CODES_A_ROUND);
      const exchanges = codes.map((id) => codeExchange(id, one.side.deployment.credentials));
      const exchanging = await measured(one, () => one.load.run(CONNECTIONS, () => exchanges.pop()));
      await removeGrants(one.side.database, codes);
      for (const [what, figures] of [
        ['rotation', rotating],
        ['code exchange', exchanging],
      ] as const) {
        for (const [name, value] of Object.entries(figures)) {
          const key = `${what}, ${name}`;
          const both = samples.get(key) ?? [[], []];
          samples.set(key, both);
          if (round > 0) {
            both[index === 0 ? 0 : 1].push(value);
          }
        }
      }
    }
  }
  for (const [what, [one, other]] of samples) {
    // Rounds are paired: what the machine was busy with beside them was nearly the same.
    const ratio = median(other.map((value, round) => value / (one[round] ?? Number.NaN)));
    const goal = /CPU|p50/.test(what) ? { goal: 1.15 } : {};
    table.push({ what, small: median(one), large: median(other), ratio, ...goal });
  }
  await Promise.all(running.map(stop));
  if (kind === 'postgres') {
    table.push({ what: 'share of changes that touch no index (HOT)', small: await hotShare(small), large: await hotShare(big) });
  }
}

async function hotShare({ database }: Side): Promise<number> {
  // What a server counted is there for others to see a moment after it has closed its connections.
  const [counted] = await database.rows<{ readonly changes: number; readonly hot: number }>(
    "SELECT n_tup_upd AS changes, n_tup_hot_upd AS hot FROM pg_stat_user_tables WHERE relname = 'grants'",
    [],
  );
  return (counted?.hot ?? Number.NaN) / (counted?.changes ?? Number.NaN);
}

/** Token latencies of a server that has not begun to clean up, and while it does, several times. */
async function cleanup(side: Side): Promise<void> {
  const beganAt = performance.now();
  await expireOldest(side.database, side.grants, expiring);
  note(`${expiring} grants expired in ${((performance.now() - beganAt) / 1000).toFixed(0)} s`);
  const before = await countGrants(side.database);
  const without: number[] = [];
  const during: number[] = [];
  let cleaningSeconds = 0;
  for (let round = 0; round < cleanupRounds; round++) {
    const running = await start(side);
    const cleansAt = performance.now() + CLEANUP_AFTER_MILLISECONDS;
    const rotate = rotations(side.grants, side.deployment.credentials, side.generations, expiring + CLIENTS);
    const next = alternately(rotate, () => ({ path: '/token', form: { grant_type: 'client_credentials' }, done: () => undefined }));
    await running.load.runAt(CLEANUP_RATE, 5, next);
    without.push((await running.load.runAt(CLEANUP_RATE, CLEANUP_SECONDS, next)).p99Milliseconds);
    await new Promise((resolve) => setTimeout(resolve, cleansAt - performance.now()));
    during.push((await running.load.runAt(CLEANUP_RATE, CLEANUP_SECONDS, next)).p99Milliseconds);
    cleaningSeconds += (performance.now() - cleansAt) / 1000;
    await stop(running);
  }
  note(`p99 ms without the cleanup: ${without.map(figure).join(', ')}; with it: ${during.map(figure).join(', ')}`);
  const ratio = median(during.map((value, round) => value / (without[round] ?? Number.NaN)));
  table.push({ what: 'token p99 ms without and with the cleanup', small: median(without), large: median(during), ratio, goal: 1.5 });
  const deleted = before - (await countGrants(side.database));
  table.push({ what: 'deleted a second meanwhile', large: deleted / cleaningSeconds });
}

async function start(side: Side): Promise<Running> {
  const server = await side.deployment.start();
  const load = grantLoad(server.url, side.deployment.client);
  return { side, server, load, rotate: rotations(side.grants, side.deployment.credentials, side.generations) };
}

async function stop({ load, server }: Running): Promise<void> {
  load.close();
  await server.stop();
}

async function measured({ server }: Running, work: () => Promise<Latencies>): Promise<Readonly<Record<string, number>>> {
  const pids = [server.pid, cluster?.pid()].filter((pid) => pid !== undefined);
  const cpu = async (): Promise<number> => (await Promise.all(pids.map(cpuOf))).reduce((sum, used) => sum + used, 0);
  const before = await cpu();
  const { requests, seconds: took, p50Milliseconds, p99Milliseconds } = await work();
  return {
    'requests/s': requests / took,
    'CPU µs/request': ((await cpu()) - before) / requests,
    'p50 ms': p50Milliseconds,
    'p99 ms': p99Milliseconds,
  };
}

function once(task: Task): () => Task | undefined {
  const tasks = [task];
  return () => tasks.pop();
}

function alternately(...kinds: readonly (() => Task)[]): () => Task {
  let turn = 0;
  return () => {
    const next = kinds[turn++ % kinds.length];
    if (next === undefined) {
      throw new Error('there is nothing to alternate');
    }
    return next();
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}

function printed(): string {
  return [
    `${kind}, ${SMALL} and ${large} grants, ${rounds} rounds of ${seconds} s, medians; Node ${process.version}`,
    '',
    '| what | small | large | ratio | goal |',
    '|---|--:|--:|--:|---|',
    ...table.map(({ what, small, large: big, ratio, goal }) => {
      const verdict = goal === undefined || ratio === undefined ? '' : `at most ${goal}: ${ratio <= goal ? 'met' : 'missed'}`;
      return `| ${what} | ${figure(small)} | ${figure(big)} | ${ratio?.toFixed(2) ?? ''} | ${verdict} |`;
    }),
    '',
  ].join('\n');
}

function figure(value: number | undefined): string {
  return value === undefined ? '' : value.toFixed(value < 10 ? 2 : 0);
}

function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
}
