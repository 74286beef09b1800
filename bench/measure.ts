import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import type { Generator } from './generator.ts';
import type { Identities } from './identities.ts';
import { startKeyturn } from './keyturn-target.ts';
import { peerSettings, startPeer } from './peer-target.ts';
import { cpuMicroseconds, machineMicroseconds, residentMebibytes } from './process-tree.ts';
import type { Round, Row, Signing, Start } from './results.ts';
import type { Scenario, ScenarioName } from './scenarios.ts';
import { type ServerProcess, startServerProcess } from './server-process.ts';
import type { Algorithm, RunningTarget, TargetName, TargetSettings } from './target.ts';

export interface Plan {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly identities: Identities;
  readonly generator: Generator;
}

// Long enough for what only the start needed to be collected.
const SETTLE_MILLISECONDS = 2500;

/**
 * Measures the targets in one scenario, all freshly started: first each is warmed up alike, then they take turns, a slice each, round after
 * round, so that what the machine does beside reaches all of them.
 */
export async function measureScenario(
  name: ScenarioName,
  scenario: Scenario,
  algorithm: Algorithm,
  targets: readonly TargetName[],
  plan: Plan,
): Promise<{ readonly rows: readonly Row[]; readonly starts: readonly Start[]; readonly signing: readonly Signing[] }> {
  const settings = { identities: plan.identities, algorithm, opaque: scenario.opaque === true };
  const running: RunningTarget[] = [];
  const signs = name === 'client_credentials' ? await startSigning(settings) : undefined;
  try {
    const starts: Omit<Start, 'idleMebibytes'>[] = [];
    for (const target of targets) {
      const started = await start(target, settings, plan.generator);
      running.push(started);
      starts.push({ target, startMilliseconds: started.server.startMilliseconds, firstTokenMilliseconds: await firstToken(started, plan) });
    }
    await pause(SETTLE_MILLISECONDS);
    const idle = await Promise.all(running.map(({ server }) => residentMebibytes(server.pid)));
    for (const target of running) {
      await warmUp(scenario, target, plan);
    }
    const rounds = running.map((): Round[] => []);
    const signing: number[] = [];
    for (let round = 0; round < plan.rounds; round++) {
      for (const [index, target] of running.entries()) {
        rounds[index]?.push(await slice(scenario, target, plan));
      }
      if (signs !== undefined) {
        signing.push(await signOnly(signs, plan.seconds));
      }
    }
    const loaded = await Promise.all(running.map(({ server }) => residentMebibytes(server.pid)));
    return {
      rows: targets.map((target, index) => ({
        scenario: name,
        algorithm,
        target,
        rounds: rounds[index] ?? [],
        loadedMebibytes: loaded[index] ?? 0,
      })),
      starts: starts.map((each, index) => ({ ...each, idleMebibytes: idle[index] ?? 0 })),
      signing: signs === undefined ? [] : [{ algorithm, cpuMicroseconds: signing }],
    };
  } finally {
    await Promise.all([...running, ...(signs === undefined ? [] : [signs])].map((each) => each.stop()));
  }
}

function start(name: TargetName, settings: TargetSettings, generator: Generator): Promise<RunningTarget> {
  return name === 'keyturn-sqlite' || name === 'keyturn-postgres' ? startKeyturn(name, settings, generator) : startPeer(name, settings);
}

/** Milliseconds from the start of the process to the first token in hand. */
async function firstToken({ server, paths }: RunningTarget, { identities, generator }: Plan): Promise<number> {
  await generator.run({
    port: Number(new URL(server.issuer).port),
    method: 'POST',
    path: paths.token,
    headers: { authorization: identities.basic },
    bodies: ['grant_type=client_credentials'],
    isOnce: true,
    connections: 1,
    seconds: 10,
    status: 200,
  });
  return performance.now() - server.spawnedAt;
}

/** The same load as is measured, for the same time for all: what is used up meanwhile is made anew. */
async function warmUp(scenario: Scenario, target: RunningTarget, plan: Plan): Promise<void> {
  const endsAt = performance.now() + plan.warmUpSeconds * 1000;
  while (performance.now() < endsAt) {
    await slice(scenario, target, { ...plan, seconds: Math.min(plan.seconds, plan.warmUpSeconds) });
  }
}

async function slice(scenario: Scenario, target: RunningTarget, plan: Plan): Promise<Round> {
  const job = await scenario.job({ ...plan, target });
  const before = await usage(target, plan.generator);
  const { requests, seconds, p50Milliseconds, p99Milliseconds } = await plan.generator.run(job);
  const after = await usage(target, plan.generator);
  const server = after.server - before.server;
  const database = after.database - before.database;
  const others = after.machine - before.machine - server - database - (after.generator - before.generator);
  return {
    requestsPerSecond: requests / seconds,
    cpuMicroseconds: server / requests,
    databaseMicroseconds: database / requests,
    p50Milliseconds,
    p99Milliseconds,
    noiseCores: Math.max(0, others / (seconds * 1e6)),
  };
}

async function usage({ server, databasePid }: RunningTarget, generator: Generator) {
  const [own, database, load, machine] = await Promise.all([
    cpuMicroseconds(server.pid),
    databasePid === undefined ? 0 : cpuMicroseconds(databasePid),
    cpuMicroseconds(generator.pid),
    machineMicroseconds(),
  ]);
  return { server: own, database, generator: load, machine };
}

async function startSigning(settings: TargetSettings): Promise<ServerProcess> {
  const folder = await temporaryFolder();
  return startServerProcess([join(import.meta.dirname, 'peers', 'raw-signing.mjs')], {
    folder,
    environment: { BENCH: peerSettings(settings) },
  });
}

/** @returns microseconds of CPU a signature. */
async function signOnly(signs: ServerProcess, seconds: number): Promise<number> {
  const before = await cpuMicroseconds(signs.pid);
  const { signatures } = JSON.parse(await signs.ask(String(seconds))) as { signatures: number };
  return ((await cpuMicroseconds(signs.pid)) - before) / signatures;
}
