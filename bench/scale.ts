import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Generator, startGenerator } from './generator.ts';
import { type Identities, makeIdentities } from './identities.ts';
import { startKeyturn, stopPostgres } from './keyturn-target.ts';
import { cpuMicroseconds, machineMicroseconds } from './process-tree.ts';
import { refreshTokens } from './scenarios.ts';
import type { ServerProcess } from './server-process.ts';
import { median } from './statistics.ts';
import type { RunningTarget } from './target.ts';
import { type WrkResult, wrk } from './wrk.ts';

/**
 * `node --import=tsx bench/scale.ts [--rounds 5 --seconds 3 --connections 64 --only sqlite,postgres --scenarios client_credentials,refresh_token]`:
 * what more processes bring on this machine, by turns with what one does. Needs wrk (Debian's package), because the load has the same cores.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '3' },
    connections: { type: 'string', default: '64' },
    only: { type: 'string', default: 'sqlite,postgres' },
    scenarios: { type: 'string', default: 'client_credentials,refresh_token' },
    json: { type: 'boolean' },
  },
});
const [rounds, seconds, connections] = [Number(values.rounds), Number(values.seconds), Number(values.connections)];

/** Processes behind one port (`workers`), or servers with a port each (`nodes`). */
interface Setup {
  readonly name: string;
  readonly database: 'sqlite' | 'postgres';
  readonly workers: number;
  readonly nodes: number;
}

const SETUPS: readonly Setup[] = [
  { name: 'SQLite, one process', database: 'sqlite', workers: 1, nodes: 1 },
  { name: 'SQLite, WORKERS=2', database: 'sqlite', workers: 2, nodes: 1 },
  { name: 'PostgreSQL, one process', database: 'postgres', workers: 1, nodes: 1 },
  { name: 'PostgreSQL, WORKERS=2', database: 'postgres', workers: 2, nodes: 1 },
  { name: 'PostgreSQL, two nodes', database: 'postgres', workers: 1, nodes: 2 },
  { name: 'PostgreSQL, four nodes', database: 'postgres', workers: 1, nodes: 4 },
];

const CORES = cpus().length;

// wrk asks its script once for a request that it does not send.
const SPARE = 4;

const SCENARIOS = { client_credentials: false, refresh_token: true };

interface Running {
  readonly setup: Setup;
  readonly target: RunningTarget;
  readonly servers: readonly ServerProcess[];
}

interface Slice {
  readonly requestsPerSecond: number;
  readonly serverMicroseconds: number;
  readonly databaseMicroseconds: number;
  readonly p50Milliseconds: number;
  readonly p99Milliseconds: number;
  /** Of all cores, the part that worked: 1, and nothing more can be had of this machine. */
  readonly busy: number;
}

const identities = makeIdentities();
const generator = startGenerator();
const running: Running[] = [];
try {
  for (const setup of SETUPS.filter(({ database }) => values.only.split(',').includes(database))) {
    running.push(await start(setup, identities, generator));
  }
  for (const [scenario, isRefresh] of Object.entries(SCENARIOS)) {
    if (values.scenarios.split(',').includes(scenario)) {
      report(scenario, await measured(isRefresh));
    }
  }
} finally {
  await Promise.all(running.flatMap(({ servers }) => servers).map((server) => server.stop()));
  generator.stop();
  await stopPostgres();
}

async function start(setup: Setup, who: Identities, by: Generator): Promise<Running> {
  const settings = { identities: who, algorithm: 'ES256', opaque: false } as const;
  const target = await startKeyturn(`keyturn-${setup.database}`, settings, by, { WORKERS: String(setup.workers) });
  const servers = [target.server];
  while (servers.length < setup.nodes && target.another !== undefined) {
    servers.push(await target.another());
  }
  return { setup, target, servers };
}

async function measured(isRefresh: boolean): Promise<ReadonlyMap<Running, readonly Slice[]>> {
  const slices = new Map(running.map((each): [Running, Slice[]] => [each, []]));
  // The first round warms up.
  for (let round = 0; round <= rounds; round++) {
    for (const [each, taken] of slices) {
      const one = await slice(each, isRefresh);
      if (round > 0) {
        taken.push(one);
      }
    }
  }
  return slices;
}

async function slice({ setup, target, servers }: Running, isRefresh: boolean): Promise<Slice> {
  const each = (connections * setup.workers * setup.nodes) / servers.length;
  const share = each + SPARE;
  const tokens = isRefresh
    ? await refreshTokens({ target, identities, generator, connections, seconds }, share * servers.length)
    : undefined;
  const before = await usage(target, servers);
  const loads = await Promise.all(
    servers.map(({ port }, index) => {
      const chains = tokens?.slice(index * share, (index + 1) * share);
      return wrk({ port, authorization: identities.basic, connections: each, seconds, ...(chains && { chains }) });
    }),
  );
  const after = await usage(target, servers);
  const requests = loads.reduce((sum, load) => sum + load.requests, 0);
  const longest = Math.max(...loads.map((load) => load.seconds));
  return {
    requestsPerSecond: requests / longest,
    serverMicroseconds: (after.server - before.server) / requests,
    databaseMicroseconds: (after.database - before.database) / requests,
    p50Milliseconds: worst(loads, 'p50Milliseconds'),
    p99Milliseconds: worst(loads, 'p99Milliseconds'),
    busy: (after.machine - before.machine) / (longest * 1e6 * CORES),
  };
}

async function usage({ databasePid }: RunningTarget, servers: readonly ServerProcess[]) {
  const [own, database, machine] = await Promise.all([
    Promise.all(servers.map(({ pid }) => cpuMicroseconds(pid))),
    databasePid === undefined ? 0 : cpuMicroseconds(databasePid),
    machineMicroseconds(),
  ]);
  return { server: own.reduce((sum, microseconds) => sum + microseconds, 0), database, machine };
}

function worst(loads: readonly WrkResult[], latency: 'p50Milliseconds' | 'p99Milliseconds'): number {
  return Math.max(...loads.map((load) => load[latency]));
}

/** Ratios are of the rounds in pairs, to those of one process on the same database. */
function report(scenario: string, slices: ReadonlyMap<Running, readonly Slice[]>): void {
  const middle = (taken: readonly Slice[], part: keyof Slice): number => median(taken.map((one) => one[part]));
  const lines = [...slices].map(([{ setup }, taken]) => {
    const [, alone = []] =
      [...slices].find(([{ setup: other }]) => other.database === setup.database && other.workers * other.nodes === 1) ?? [];
    const times = median(taken.map(({ requestsPerSecond }, round) => requestsPerSecond / (alone[round]?.requestsPerSecond ?? Number.NaN)));
    const figures = [
      middle(taken, 'requestsPerSecond').toFixed(0),
      times.toFixed(2),
      middle(taken, 'serverMicroseconds').toFixed(0),
      setup.database === 'postgres' ? middle(taken, 'databaseMicroseconds').toFixed(0) : '',
      middle(taken, 'p50Milliseconds').toFixed(1),
      middle(taken, 'p99Milliseconds').toFixed(1),
      `${(100 * middle(taken, 'busy')).toFixed(0)} %`,
    ];
    return `| ${[setup.name, ...figures].join(' | ')} |`;
  });
  const head = ['', 'requests/s', 'times one', 'CPU µs', 'database µs', 'p50 ms', 'p99 ms', 'cores busy'];
  process.stdout.write(`\n${scenario}\n\n| ${head.join(' | ')} |\n|---|${'--:|'.repeat(head.length - 1)}\n${lines.join('\n')}\n`);
}
