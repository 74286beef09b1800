import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { openDatabase } from '../src/storage/open-database.ts';
import { prepareDeployment } from '../test/support/deployment.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { fill, insertCodes } from './bulk-grants.ts';
import { codeExchange, grantLoad, type Task } from './grant-load.ts';
import { memoryOf } from './process-figures.ts';

/**
 * `node --import=tsx bench/soak.ts [--minutes 10 --rate 60 --json]`: the built server on SQLite under a mixed load of a fixed rate: codes are
 * redeemed, their grants refreshed, introspected and revoked, and tokens given to the client itself. Tokens live for half a minute, so that the
 * cleanup takes away what was made while it is watched. Memory and files are looked at every five seconds; the verdict is about the second half.
 */

const minutes = option('minutes', 10);
const rate = option('rate', 60);
const SAMPLE_MILLISECONDS = 5000;
/** Of what it is at half time: how much the second half may add, beside 4 MiB (a -wal is as long as it needs to be). */
const LARGEST_GROWTH = 0.1;

interface Sample {
  readonly second: number;
  readonly memoryMebibytes: number;
  readonly databaseMebibytes: number;
  readonly logMebibytes: number;
}

const path = join(await temporaryFolder(), 'soak.sqlite');
const location = { kind: 'sqlite', path } as const;
const settings = { RATE_LIMITS: 'off', ACCESS_TOKEN_TTL: '30s', ACCESS_TOKEN_MAX_TTL: '30s', ID_TOKEN_TTL: '30s' };
const deployment = await prepareDeployment(location, settings);
const { client, credentials } = deployment;
const filling = await openDatabase(location);
await fill(filling, client.id, 1000);
await filling.close();
const database = await openDatabase(location);
const server = await deployment.start();
const load = grantLoad(server.url, client);
const codes: string[] = [];
const ready: Task[] = [];
const samples: Sample[] = [];
let turn = 0;

await refill();
const beganAt = performance.now();
await look();
const looking = setInterval(() => void look(), SAMPLE_MILLISECONDS);
const refilling = setInterval(() => void refill(), SAMPLE_MILLISECONDS);
const latencies = await load.runAt(rate, minutes * 60, next);
clearInterval(looking);
clearInterval(refilling);
load.close();
await server.stop();
await database.close();
process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify({ latencies, samples }, undefined, 2)}\n` : printed());

/** Codes for the next seconds, and as many again in reserve. */
async function refill(): Promise<void> {
  const wanted = Math.ceil((rate * SAMPLE_MILLISECONDS) / 1000);
  if (codes.length < wanted) {
    codes.push(...(await insertCodes(database, client.id, wanted)));
  }
}

function next(): Task {
  const due = ready.shift();
  if (due !== undefined) {
    return due;
  }
  const grantId = turn++ % 2 === 0 ? codes.pop() : undefined;
  return grantId === undefined
    ? { path: '/token', form: { grant_type: 'client_credentials' }, done: (body) => introspectLater(tokenIn(body, 'access_token')) }
    : { ...codeExchange(grantId, credentials), done: (body) => refreshLater(tokenIn(body, 'refresh_token')) };
}

function refreshLater(token: string): void {
  ready.push({
    path: '/token',
    form: { grant_type: 'refresh_token', refresh_token: token },
    done(body) {
      introspectLater(tokenIn(body, 'access_token'));
      ready.push({ path: '/revoke', form: { token: tokenIn(body, 'refresh_token') }, done: () => undefined });
    },
  });
}

function introspectLater(token: string): void {
  ready.push({ path: '/introspect', form: { token }, done: () => undefined });
}

function tokenIn(body: string, name: 'access_token' | 'refresh_token'): string {
  const answer = JSON.parse(body) as Partial<Record<typeof name, string>>;
  const token = answer[name];
  if (token === undefined) {
    throw new Error(`an answer without ${name}`);
  }
  return token;
}

async function look(): Promise<void> {
  const [memoryMebibytes, databaseBytes, logBytes] = await Promise.all([memoryOf(server.pid), sizeOf(path), sizeOf(`${path}-wal`)]);
  const second = Math.round((performance.now() - beganAt) / 1000);
  samples.push({ second, memoryMebibytes, databaseMebibytes: databaseBytes / 2 ** 20, logMebibytes: logBytes / 2 ** 20 });
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

function printed(): string {
  const columns = [
    ['memory', ({ memoryMebibytes }: Sample) => memoryMebibytes],
    ['database file', ({ databaseMebibytes }: Sample) => databaseMebibytes],
    ['-wal file', ({ logMebibytes }: Sample) => logMebibytes],
  ] as const;
  const rows = columns.map(([name, value]) => {
    const half = samples.slice(Math.floor(samples.length / 2));
    const [atHalf, atEnd] = lineThrough(half.map((sample) => [sample.second, value(sample)] as const));
    const flat = atEnd - atHalf <= Math.max(LARGEST_GROWTH * atHalf, 4) ? 'flat' : 'grows';
    const most = Math.max(...samples.map(value));
    return `| ${name} | ${samples
      .slice(0, 1)
      .map((sample) => value(sample).toFixed(1))
      .join('')} | ${atHalf.toFixed(1)} | ${atEnd.toFixed(1)} | ${most.toFixed(1)} | ${flat} |`;
  });
  return [
    `${minutes} minutes at ${rate} requests/s, ${latencies.requests} requests, p50 ${latencies.p50Milliseconds.toFixed(1)} ms, p99 ${latencies.p99Milliseconds.toFixed(1)} ms; Node ${process.version}`,
    '',
    '| MiB | at first | at half time | at the end | most | second half |',
    '|---|--:|--:|--:|--:|---|',
    ...rows,
    '',
  ].join('\n');
}

/** The ends of the straight line that fits the points best. */
function lineThrough(points: readonly (readonly [x: number, y: number])[]): readonly [number, number] {
  const meanX = mean(points.map(([x]) => x));
  const meanY = mean(points.map(([, y]) => y));
  const slope = mean(points.map(([x, y]) => (x - meanX) * (y - meanY))) / mean(points.map(([x]) => (x - meanX) ** 2));
  const at = (x: number | undefined): number => meanY + slope * ((x ?? meanX) - meanX);
  return [at(points[0]?.[0]), at(points.at(-1)?.[0])];
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
}
