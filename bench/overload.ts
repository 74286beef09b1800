import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import type { StormJob, StormResult } from './login-storm.ts';
import type { OpenLoadJob, OpenLoadResult } from './open-load.ts';
import { cpuOf, memoryOf } from './process-figures.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';

/**
 * `node --import=tsx bench/overload.ts [--rounds 3] [--only limits,overload,logins,slow]`: what rate limits cost, what overload, a storm of
 * logins, slow and idle clients do to tokens, on the built server with SQLite, its load made on the same machine. Ratios are what counts.
 */
const rounds = Number(option('rounds') ?? 3);
const only = option('only')?.split(',');
const PROBES = ['/health/live', '/jwks', '/.well-known/openid-configuration'];

const SLOW_BODY =
  'POST /token HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\n';

for (const [name, measure] of Object.entries({ limits: limitsCost, overload, logins: loginStorm, slow: slowClients })) {
  if (only === undefined || only.includes(name)) {
    print(name, await measure());
  }
}

/** The same load on two servers by turns, one of which counts. */
async function limitsCost(): Promise<object> {
  const servers = { off: await started({ RATE_LIMITS: 'off' }), on: await started({ RATE_LIMITS: 'on' }) };
  const cpu: Record<'off' | 'on', number[]> = { off: [], on: [] };
  for (let round = 0; round <= 2 * rounds; round++) {
    for (const name of round % 2 === 0 ? (['off', 'on'] as const) : (['on', 'off'] as const)) {
      const { server, authorization } = servers[name];
      const before = await cpuOf(server.pid);
      const job = { url: `${server.issuer}/token`, authorization, perSecond: 10_000, connections: 16, seconds: 3 };
      const { ok, failed } = await load<OpenLoadJob, OpenLoadResult>('open-load.ts', job);
      if (failed > 0) {
        throw new Error(`${failed} requests failed`);
      }
      // The first warms up.
      if (round > 0) {
        cpu[name].push(((await cpuOf(server.pid)) - before) / ok.count);
      }
    }
  }
  await Promise.all(Object.values(servers).map(({ server }) => server.stop()));
  return {
    cpuMicrosecondsOff: median(cpu.off),
    cpuMicrosecondsOn: median(cpu.on),
    ratio: ratio(median(cpu.on), median(cpu.off)),
    all: cpu,
  };
}

/** Three times what it can carry, and what comes after. */
async function overload(): Promise<object> {
  const { server, authorization, capacity } = await measured();
  const results: object[] = [];
  for (let round = 0; round < rounds; round++) {
    const unloaded = await tokens(server, authorization, capacity * 0.2, 4);
    const cpuBefore = await cpuOf(server.pid);
    const over = await tokens(server, authorization, capacity * 3, 9, PROBES, 1);
    const cpuShare = ratio((await cpuOf(server.pid)) - cpuBefore, 9e6);
    let recoverySeconds = 0;
    for (; recoverySeconds < 10; recoverySeconds++) {
      const after = await tokens(server, authorization, capacity * 0.2, 1);
      if (after.refused.count === 0 && after.ok.p99 < 2 * unloaded.ok.p99) {
        break;
      }
    }
    results.push({
      capacity: Math.round(capacity),
      unloadedP99: unloaded.ok.p99,
      offered: over.sent / 9,
      admitted: over.ok.count / 8,
      admittedP50: over.ok.p50,
      admittedP99: over.ok.p99,
      ratio: ratio(over.ok.p99, unloaded.ok.p99),
      firstSecond: over.early,
      refusedP50: over.refused.p50,
      refusedP99: over.refused.p99,
      failed: over.failed,
      unsent: over.unsent,
      probesP99: over.probes.p99,
      probesFailed: over.probesFailed,
      recoverySeconds,
      // 1: the server had a core to itself; less, on a machine that others use: it had less, and figures say little.
      cpuShare,
      mebibytes: Math.round(await memoryOf(server.pid)),
    });
  }
  await server.stop();
  return results;
}

/** Tokens at a fifth of what the server can, without and with as many password logins as it takes. */
async function loginStorm(): Promise<object> {
  const { server, authorization, capacity, demo } = await measured();
  const results: object[] = [];
  for (let round = 0; round < rounds; round++) {
    const without = await tokens(server, authorization, capacity * 0.2, 5);
    const storm = startStorm(server, demo);
    const during = await tokens(server, authorization, capacity * 0.2, 5);
    const { logins, busy } = await storm.stop();
    results.push({ p99Without: without.ok.p99, p99During: during.ok.p99, ratio: ratio(during.ok.p99, without.ok.p99), logins, busy });
  }
  await server.stop();
  return results;
}

function startStorm(server: ServerProcess, demo: ReadonlyMap<string, string>) {
  const child = fork(join(import.meta.dirname, 'login-storm.ts'), { execArgv: ['--import=tsx'] });
  child.send({
    issuer: server.issuer,
    clientId: demo.get('CLIENT_ID') ?? '',
    redirectUri: demo.get('REDIRECT_URI') ?? '',
  } satisfies StormJob);
  return {
    async stop() {
      child.send('stop');
      const [result] = (await once(child, 'message')) as [StormResult];
      return result;
    },
  };
}

/** Thousands of connections that say nothing, and hundreds that say their headers letter by letter. */
async function slowClients(): Promise<object> {
  const { server, authorization, capacity } = await measured();
  const { port } = new URL(server.issuer);
  const before = { memory: await memoryOf(server.pid), tokens: await tokens(server, authorization, capacity * 0.2, 5) };
  const idle = await Promise.all(Array.from({ length: 5000 }, () => opened(Number(port))));
  const memoryIdle = await memoryOf(server.pid);
  const cpuBefore = await cpuOf(server.pid);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const idleCpuShare = ((await cpuOf(server.pid)) - cpuBefore) / 3e6;
  const duringIdle = await tokens(server, authorization, capacity * 0.2, 5);
  idle.forEach((socket) => socket.destroy());

  const slow = await Promise.all(Array.from({ length: 500 }, () => opened(Number(port))));
  let dropped = 0;
  const letters = setInterval(() => slow.forEach((socket) => socket.writable && socket.write('x')), 500);
  slow.forEach((socket, index) => {
    socket.on('close', () => dropped++);
    socket.resume();
    socket.write(index % 2 === 0 ? 'POST /token HTTP/1.1\r\nhost: localhost\r\nx-slow: ' : SLOW_BODY);
  });
  const duringSlow = await tokens(server, authorization, capacity * 0.2, 5);
  await new Promise((resolve) => setTimeout(resolve, 14_000));
  clearInterval(letters);
  slow.forEach((socket) => socket.destroy());
  await server.stop();
  return {
    kibibytesAnIdleConnection: Math.round(((memoryIdle - before.memory) * 1024) / 5000),
    idleCpuPercent: Math.round(idleCpuShare * 1000) / 10,
    p99Without: before.tokens.ok.p99,
    ratioWithIdle: ratio(duringIdle.ok.p99, before.tokens.ok.p99),
    ratioWithSlow: ratio(duringSlow.ok.p99, before.tokens.ok.p99),
    slowDroppedWithin19s: `${dropped} of 500`,
  };
}

function opened(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => resolve(socket));
    socket.on('error', reject);
  });
}

async function started(settings: Readonly<Record<string, string>>) {
  const folder = await temporaryFolder();
  const server = await startServerProcess([join(import.meta.dirname, '../bin/keyturn.mjs'), 'serve'], {
    folder,
    environment: { PORT: '0', RATE_LIMITS: 'off', ...settings },
  });
  const text = await readFile(join(folder, 'data/demo.env'), 'utf8');
  const demo = new Map(text.split('\n').flatMap((line) => (line.includes('=') ? [line.split('=', 2) as [string, string]] : [])));
  const authorization = `Basic ${Buffer.from(`${demo.get('CLIENT_ID')}:${demo.get('CLIENT_SECRET')}`).toString('base64')}`;
  return { server, authorization, demo };
}

/** A warm server, and how many tokens a second it gives to 32 who ask as fast as they are answered. */
async function measured() {
  const { server, authorization, demo } = await started({ TRUST_PROXY: '127.0.0.1' });
  const job = { url: `${server.issuer}/token`, authorization, perSecond: 10_000, connections: 32, seconds: 3 };
  await load<OpenLoadJob, OpenLoadResult>('open-load.ts', job);
  const { ok } = await load<OpenLoadJob, OpenLoadResult>('open-load.ts', job);
  return { server, authorization, demo, capacity: ok.count / job.seconds };
}

function tokens(
  server: ServerProcess,
  authorization: string,
  perSecond: number,
  seconds: number,
  probes: readonly string[] = [],
  skipSeconds = 0,
) {
  const job = { url: `${server.issuer}/token`, authorization, perSecond, seconds, connections: 500, probes, skipSeconds };
  return load<OpenLoadJob, OpenLoadResult>('open-load.ts', job);
}

function load<Job, Result>(script: string, job: Job): Promise<Result> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--import=tsx', join(import.meta.dirname, script)], { stdio: ['pipe', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.setEncoding('utf8').on('data', (more: string) => {
      text += more;
    });
    child.once('close', (code) => (code === 0 ? resolve(JSON.parse(text) as Result) : reject(new Error(`the load ended with ${code}`))));
    child.stdin.end(JSON.stringify(job));
  });
}

function print(name: string, result: object): void {
  process.stdout.write(`${name} ${JSON.stringify(result, undefined, 1)}\n`);
}

function median(values: readonly number[]): number {
  return Math.round((values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0) * 10) / 10;
}

function ratio(one: number, other: number): number {
  return Math.round((one / other) * 1000) / 1000;
}

function option(name: string): string | undefined {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? undefined : process.argv[at + 1];
}
