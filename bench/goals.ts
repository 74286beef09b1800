import type { Results, Row } from './results.ts';
import type { ScenarioName } from './scenarios.ts';
import { median } from './statistics.ts';
import type { Algorithm, TargetName } from './target.ts';

/** What the server is to reach, and what it did. Only within one run: each is a ratio of what was measured side by side, but for memory and start. */
export interface GoalResult {
  readonly goal: string;
  /** In the unit of `wanted`. undefined: the run did not measure it. */
  readonly value: number | undefined;
  /** The same as a ratio of CPU a request, where the goal is one of requests a second. */
  readonly cpuValue?: number | undefined;
  readonly wanted: number;
  readonly unit: 'x' | 'MiB' | 'ms';
  readonly direction: 'at least' | 'at most';
  readonly met: boolean | undefined;
}

type Goal = (results: Results) => GoalResult;

const KEYTURN: TargetName = 'keyturn-sqlite';
const MEMORY: TargetName = 'oidc-provider-memory';

const goals: readonly Goal[] = [
  faster('client_credentials', MEMORY, 2.5),
  cpuAtMost('client_credentials, of the floor', ['client_credentials', KEYTURN], ['client_credentials', 'floor'], 1.15),
  faster('refresh_token', MEMORY, 3),
  faster('refresh_token', 'oidc-provider-sqlite', 8),
  cpuAtMost('durable refresh_token, of client_credentials', ['refresh_token', KEYTURN], ['client_credentials', KEYTURN], 1.35),
  faster('private_key_jwt', MEMORY, 2),
  faster('introspection', MEMORY, 2.5),
  faster('JWKS', MEMORY, 2),
  faster('metadata', MEMORY, 2),
  ({ rows, signing }) => {
    const raw = signing.find(({ algorithm }) => algorithm === 'RS256');
    const row = rowOf(rows, 'client_credentials', KEYTURN, 'RS256');
    const value =
      raw && row && median(row.rounds.map(({ cpuMicroseconds }, index) => (raw.cpuMicroseconds[index] ?? Number.NaN) / cpuMicroseconds));
    return goal('RS256: raw signing, of the CPU of client_credentials', value, 0.85, 'x', 'at least');
  },
  ({ starts }) => goal('idle memory', startMedian(starts, 'idleMebibytes'), 80, 'MiB', 'at most'),
  ({ rows }) => {
    const loads = rows
      .filter(({ target, algorithm }) => target === KEYTURN && algorithm === 'ES256')
      .map(({ loadedMebibytes }) => loadedMebibytes);
    return goal('memory under load, largest', loads.length === 0 ? undefined : Math.max(...loads), 120, 'MiB', 'at most');
  },
  ({ starts }) => goal('from the start of the process to a token', startMedian(starts, 'firstTokenMilliseconds'), 700, 'ms', 'at most'),
];

export function goalResults(results: Results): readonly GoalResult[] {
  return goals.map((each) => each(results));
}

/** Met only when both reach it, the requests a second and the CPU a request. */
function faster(scenario: ScenarioName, target: TargetName, wanted: number): Goal {
  return ({ rows }) => {
    const [own, other] = [rowOf(rows, scenario, KEYTURN), rowOf(rows, scenario, target)];
    const value = ratio(own, other, 'requestsPerSecond');
    const cpuValue = ratio(other, own, 'cpuMicroseconds');
    const all = goal(`${scenario}, ${target}`, value, wanted, 'x', 'at least');
    return { ...all, cpuValue, met: all.met && cpuValue !== undefined && cpuValue >= wanted };
  };
}

function cpuAtMost(
  name: string,
  own: readonly [ScenarioName, TargetName],
  other: readonly [ScenarioName, TargetName],
  wanted: number,
): Goal {
  return ({ rows }) => goal(`CPU of ${name}`, ratio(rowOf(rows, ...own), rowOf(rows, ...other), 'cpuMicroseconds'), wanted, 'x', 'at most');
}

/** The median of the ratios of the rounds, which were made one right after the other. */
function ratio(own: Row | undefined, other: Row | undefined, of: 'requestsPerSecond' | 'cpuMicroseconds'): number | undefined {
  return own && other && median(own.rounds.map((round, index) => round[of] / (other.rounds[index]?.[of] ?? Number.NaN)));
}

function rowOf(rows: readonly Row[], scenario: ScenarioName, target: TargetName, algorithm: Algorithm = 'ES256'): Row | undefined {
  return rows.find((row) => row.scenario === scenario && row.target === target && row.algorithm === algorithm);
}

function startMedian(starts: Results['starts'], of: 'idleMebibytes' | 'firstTokenMilliseconds'): number | undefined {
  const values = starts.filter(({ target }) => target === KEYTURN).map((start) => start[of]);
  return values.length === 0 ? undefined : median(values);
}

function goal(
  name: string,
  value: number | undefined,
  wanted: number,
  unit: GoalResult['unit'],
  direction: GoalResult['direction'],
): GoalResult {
  const met = value === undefined ? undefined : direction === 'at least' ? value >= wanted : value <= wanted;
  return { goal: name, value, wanted, unit, direction, met };
}
