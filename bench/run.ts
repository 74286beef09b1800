import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseLocation } from '../src/config/config.ts';
import { browser, passPages } from '../test/support/browser.ts';
import { sharedPostgres, stopSharedPostgres } from '../test/support/postgres.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import type { LoadJob, LoadResult } from './load.ts';
import type { ServerUnderTest } from './server-under-test.ts';
import { startServerUnderTest } from './server-under-test.ts';

/**
 * `npm run bench [-- --seconds 5 --rounds 3 --connections 32 --json]`: the built server on SQLite (synchronous=FULL) and on PostgreSQL
 * (fsync on), its load made by a process of its own on the same machine. Rounds of the scenarios alternate; medians are printed. Absolute
 * figures are those of the machine at that moment: compare only what stands in one table.
 */

interface Row {
  readonly database: string;
  readonly scenario: string;
  readonly requestsPerSecond: number;
  readonly cpuMicroseconds: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
}

interface Start {
  readonly database: string;
  readonly firstStartMilliseconds: number;
  readonly startMilliseconds: number;
  readonly firstTokenMilliseconds: number;
  readonly idleMebibytes: number;
  readonly loadedMebibytes: number;
}

const seconds = option('seconds', 4);
const rounds = option('rounds', 3);
const connections = option('connections', 32);

const starts: Start[] = [];
const rows: Row[] = [];
for (const kind of ['sqlite', 'postgres'] as const) {
  await measure(kind);
}
await stopSharedPostgres();
process.stdout.write(process.argv.includes('--json') ? `${JSON.stringify({ starts, rows }, undefined, 2)}\n` : table());

async function measure(kind: DatabaseLocation['kind']): Promise<void> {
  const folder = await temporaryFolder();
  const database = await freshDatabase(kind, folder);
  const first = await startServerUnderTest(folder, database);
  await first.stop();

  const beganAt = performance.now();
  const server = await startServerUnderTest(folder, database);
  const demo = await demoVariables(folder);
  await tokenRequest(server, demo, { grant_type: 'client_credentials' });
  const firstTokenMilliseconds = performance.now() - beganAt;
  await new Promise((resolve) => setTimeout(resolve, 2000));
  const idleMebibytes = await server.memory();

  let chains = await loggedIn(server, demo);
  const measured = new Map<string, Row[]>([
    ['client_credentials', []],
    ['refresh_token (durable rotation)', []],
  ]);
  // One more round than counted: the first warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [scenario, results] of measured) {
      const isRefresh = scenario.startsWith('refresh');
      const cpuBefore = await server.cpu();
      const result = await load({
        url: `${server.issuer}/token`,
        authorization: basic(demo),
        connections,
        seconds,
        ...(isRefresh ? { refreshTokens: chains } : {}),
      });
      if (result.failures > 0) {
        throw new Error(`${result.failures} of ${result.requests} requests failed`);
      }
      chains = isRefresh ? result.refreshTokens : chains;
      if (round > 0) {
        results.push({
          database: kind,
          scenario,
          requestsPerSecond: result.requests / result.seconds,
          cpuMicroseconds: ((await server.cpu()) - cpuBefore) / result.requests,
          p50Milliseconds: result.p50Milliseconds,
          p99Milliseconds: result.p99Milliseconds,
        });
      }
    }
  }
  for (const results of measured.values()) {
    rows.push(medianOf(results));
  }
  starts.push({
    database: kind,
    firstStartMilliseconds: first.listeningAfter,
    startMilliseconds: server.listeningAfter,
    firstTokenMilliseconds,
    idleMebibytes,
    loadedMebibytes: await server.memory(),
  });
  await server.stop();
}

async function freshDatabase(kind: DatabaseLocation['kind'], folder: string): Promise<DatabaseLocation> {
  if (kind === 'sqlite') {
    return { kind, path: join(folder, 'data/keyturn.sqlite') };
  }
  const server = await sharedPostgres();
  if (server === undefined) {
    throw new Error('no PostgreSQL can be run here');
  }
  return { kind, url: await server.createDatabase() };
}

type Demo = ReadonlyMap<string, string>;

/** What the first start outside production leaves for trying things out. */
async function demoVariables(folder: string): Promise<Demo> {
  const text = await readFile(join(folder, 'data/demo.env'), 'utf8');
  return new Map(text.split('\n').flatMap((line) => (line.includes('=') ? [line.split('=', 2) as [string, string]] : [])));
}

function basic(demo: Demo): string {
  return `Basic ${Buffer.from(`${demo.get('CLIENT_ID')}:${demo.get('CLIENT_SECRET')}`).toString('base64')}`;
}

async function tokenRequest(server: ServerUnderTest, demo: Demo, form: Readonly<Record<string, string>>): Promise<Record<string, string>> {
  const response = await fetch(`${server.issuer}/token`, {
    method: 'POST',
    headers: { authorization: basic(demo) },
    body: new URLSearchParams(form),
  });
  if (response.status !== 200) {
    throw new Error(`the token endpoint answered ${response.status}: ${await response.text()}`);
  }
  return (await response.json()) as Record<string, string>;
}

/** One refresh token for each connection, each of a grant of its own, made through the pages. */
async function loggedIn(server: ServerUnderTest, demo: Demo): Promise<readonly string[]> {
  const tab = browser(server);
  const user = { id: '', username: demo.get('USER_NAME') ?? '', password: demo.get('USER_PASSWORD') ?? '' };
  const redirect_uri = demo.get('REDIRECT_URI') ?? '';
  const tokens: string[] = [];
  for (let index = 0; index < connections; index++) {
    const code_verifier = randomBytes(32).toString('base64url');
    const query = new URLSearchParams({
      client_id: demo.get('CLIENT_ID') ?? '',
      response_type: 'code',
      // Without openid: the signature of an ID token would be measured beside the rotation.
      scope: 'api:read api:write',
      redirect_uri,
      code_challenge: createHash('sha256').update(code_verifier).digest('base64url'),
      code_challenge_method: 'S256',
    });
    const arrival = await passPages(tab, await tab.visit(`${server.issuer}/authorize?${query.toString()}`), user);
    const code = arrival.url.searchParams.get('code') ?? '';
    const answer = await tokenRequest(server, demo, { grant_type: 'authorization_code', code, redirect_uri, code_verifier });
    tokens.push(answer['refresh_token'] ?? '');
  }
  return tokens;
}

function load(job: LoadJob): Promise<LoadResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import=tsx', join(import.meta.dirname, 'load.ts')], { stdio: ['pipe', 'pipe', 'inherit'] });
    let output = '';
    child.stdout.on('data', (text: Buffer) => {
      output += text.toString();
    });
    child.once('exit', (code) =>
      code === 0 ? resolve(JSON.parse(output) as LoadResult) : reject(new Error(`the load ended with ${code}`)),
    );
    child.stdin.end(JSON.stringify(job));
  });
}

function medianOf(results: readonly Row[]): Row {
  const [first] = results;
  if (first === undefined) {
    throw new Error('nothing was measured');
  }
  const median = (value: (row: Row) => number): number =>
    results.map(value).toSorted((one, other) => one - other)[Math.floor(results.length / 2)] ?? 0;
  return {
    ...first,
    requestsPerSecond: median((row) => row.requestsPerSecond),
    cpuMicroseconds: median((row) => row.cpuMicroseconds),
    p50Milliseconds: median((row) => row.p50Milliseconds),
    p99Milliseconds: median((row) => row.p99Milliseconds),
  };
}

function table(): string {
  const lines = [
    `${connections} connections, ${rounds} rounds of ${seconds} s, medians; Node ${process.version}`,
    '',
    '| database | scenario | requests/s | server CPU µs/request | p50 ms | p99 ms |',
    '|---|---|--:|--:|--:|--:|',
    ...rows.map(
      (row) =>
        `| ${row.database} | ${row.scenario} | ${row.requestsPerSecond.toFixed(0)} | ${row.cpuMicroseconds.toFixed(0)} | ${row.p50Milliseconds.toFixed(1)} | ${row.p99Milliseconds.toFixed(1)} |`,
    ),
    '',
    '| database | first start ms | start ms | start to first token ms | idle MiB | after load MiB |',
    '|---|--:|--:|--:|--:|--:|',
    ...starts.map(
      (start) =>
        `| ${start.database} | ${start.firstStartMilliseconds.toFixed(0)} | ${start.startMilliseconds.toFixed(0)} | ${start.firstTokenMilliseconds.toFixed(0)} | ${start.idleMebibytes.toFixed(0)} | ${start.loadedMebibytes.toFixed(0)} |`,
    ),
    '',
  ];
  return lines.join('\n');
}

function option(name: string, otherwise: number): number {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
}
