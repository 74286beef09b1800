import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkAgainstMargins } from './ci.ts';
import { startGenerator } from './generator.ts';
import { makeIdentities } from './identities.ts';
import { stopPostgres } from './keyturn-target.ts';
import { measureScenario, type Plan } from './measure.ts';
import { writePage } from './page.ts';
import { tables } from './report.ts';
import type { Results, Row, Signing, Start } from './results.ts';
import { SCENARIOS, type ScenarioName, scenarios } from './scenarios.ts';
import { type Algorithm, TARGETS, type TargetName } from './target.ts';

/** `npm run bench -- --help` says what this does. */
const HELP = `npm run bench [-- options]
  --targets a,b     which of: ${TARGETS.join(', ')}
  --scenarios a,b   which of: ${SCENARIOS.join(', ')}
  --algorithms a,b  ES256, RS256 (default: both)
  --rounds N        rounds that count (default 5)
  --seconds N       of each slice (default 2)
  --connections N   requests in flight (default 32)
  --json            the results as JSON and nothing else
  --from FILE       measure nothing, and take the results that --json wrote
  --page            write docs/benchmarks.md
  --ci              the short form: client_credentials and refresh_token against oidc-provider in memory and the floor; fails past the margins
`;

const { values } = parseArgs({
  options: {
    targets: { type: 'string' },
    scenarios: { type: 'string' },
    algorithms: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    connections: { type: 'string' },
    json: { type: 'boolean' },
    from: { type: 'string' },
    page: { type: 'boolean' },
    ci: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

if (values.help === true) {
  process.stdout.write(HELP);
} else if (values.ci === true) {
  installPeers();
  process.exitCode = await checkAgainstMargins(() =>
    measure({
      targets: ['keyturn-sqlite', 'oidc-provider-memory', 'floor'],
      wanted: ['client_credentials', 'refresh_token'],
      algorithms: ['ES256'],
      rounds: 4,
      seconds: 1,
      warmUpSeconds: 1,
      connections: 32,
    }),
  );
} else {
  const results = values.from === undefined ? await measureAsAsked() : (JSON.parse(await readFile(values.from, 'utf8')) as Results);
  process.stdout.write(values.json === true ? `${JSON.stringify(results, undefined, 1)}\n` : tables(results));
  if (values.page === true) {
    await writeFile(join(import.meta.dirname, '../docs/benchmarks.md'), writePage(results));
  }
}

function measureAsAsked(): Promise<Results> {
  installPeers();
  return measure({
    targets: chosen('targets', TARGETS),
    wanted: chosen('scenarios', SCENARIOS),
    algorithms: chosen('algorithms', ['ES256', 'RS256']),
    rounds: Number(values.rounds ?? 5),
    seconds: Number(values.seconds ?? 2),
    warmUpSeconds: 3,
    connections: Number(values.connections ?? 32),
  });
}

function chosen<Name extends string>(option: 'targets' | 'scenarios' | 'algorithms', all: readonly Name[]): readonly Name[] {
  const names = values[option]?.split(',');
  const unknown = names?.find((name) => !all.some((each) => each === name));
  if (unknown !== undefined) {
    throw new Error(`--${option}: there is no ${unknown}, only ${all.join(', ')}`);
  }
  return all.filter((name) => names === undefined || names.includes(name));
}

/** Their own folder, so that nothing of them is ever a dependency of the product. */
function installPeers(): void {
  if (!existsSync(join(import.meta.dirname, 'node_modules', 'oidc-provider'))) {
    // Its words go to standard error: standard output is the tables', or the JSON's.
    const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: import.meta.dirname, stdio: ['ignore', 2, 2] });
    if (status !== 0) {
      throw new Error('the peers could not be installed (npm ci in bench/)');
    }
  }
}

interface Asked extends Omit<Plan, 'identities' | 'generator'> {
  readonly targets: readonly TargetName[];
  readonly wanted: readonly ScenarioName[];
  readonly algorithms: readonly Algorithm[];
}

async function measure({ targets, wanted, algorithms, ...options }: Asked): Promise<Results> {
  const generator = startGenerator();
  const plan: Plan = { ...options, identities: makeIdentities(), generator };
  const parts: { readonly rows: readonly Row[]; readonly starts: readonly Start[]; readonly signing: readonly Signing[] }[] = [];
  try {
    for (const name of wanted) {
      const scenario = scenarios[name];
      for (const algorithm of scenario.signs ? algorithms : algorithms.slice(0, 1)) {
        process.stderr.write(`${name}, ${algorithm}\n`);
        parts.push(
          await measureScenario(
            name,
            scenario,
            algorithm,
            targets.filter((target) => scenario.targets.includes(target)),
            plan,
          ),
        );
      }
    }
  } finally {
    generator.stop();
    await stopPostgres();
  }
  const [cpu] = cpus();
  return {
    measuredAt: new Date().toISOString(),
    machine: { cores: cpus().length, model: cpu?.model.trim() ?? 'unknown', node: process.version },
    options,
    rows: parts.flatMap(({ rows }) => rows),
    starts: parts.flatMap(({ starts }) => starts),
    signing: parts.flatMap(({ signing }) => signing),
  };
}
