import { type GoalResult, goalResults } from './goals.ts';
import type { Results, Round, Row } from './results.ts';
import { median } from './statistics.ts';
import { TARGETS } from './target.ts';

/** The results as Markdown tables, for a terminal and for docs/benchmarks.md alike. */
export function tables(results: Results): string {
  const { machine, options, rows, starts } = results;
  return [
    `${results.measuredAt.slice(0, 10)}, Node ${machine.node}, ${machine.cores} cores (${machine.model}), ${options.connections} connections, ${options.rounds} rounds of ${options.seconds} s; medians.`,
    '',
    markdown(['scenario', 'alg', 'target', 'requests/s', 'CPU µs', 'database µs', 'p50 ms', 'p99 ms', 'MiB', 'noise'], rows.map(rowCells)),
    '',
    ...(starts.length === 0 ? [] : [markdown(['target', 'start ms', 'first token ms', 'idle MiB'], startCells(results)), '']),
    goalTable(goalResults(results).filter(({ value }) => value !== undefined)),
    '',
  ].join('\n');
}

/** Each goal with what was measured, and whether it is met. */
export function goalTable(goals: readonly GoalResult[]): string {
  return markdown(
    ['goal', 'wanted', 'measured', 'by CPU', ''],
    goals.map(({ goal, value, cpuValue, wanted, unit, direction, met }) => [
      goal,
      `${direction} ${wanted} ${unit}`,
      number(value, unit === 'x' ? 2 : 0),
      number(cpuValue, 2),
      met === true ? 'met' : 'missed',
    ]),
  );
}

function rowCells({ scenario, algorithm, target, rounds, loadedMebibytes }: Row): readonly string[] {
  const of = (name: keyof Round, digits: number): string => number(median(rounds.map((round) => round[name])), digits);
  const database = median(rounds.map(({ databaseMicroseconds }) => databaseMicroseconds));
  return [
    scenario,
    algorithm,
    target,
    of('requestsPerSecond', 0),
    of('cpuMicroseconds', 0),
    database === 0 ? '' : number(database, 0),
    of('p50Milliseconds', 1),
    of('p99Milliseconds', 1),
    number(loadedMebibytes, 0),
    of('noiseCores', 1),
  ];
}

function startCells({ starts }: Results): readonly (readonly string[])[] {
  return TARGETS.flatMap((target) => {
    const own = starts.filter((start) => start.target === target);
    return own.length === 0
      ? []
      : [
          [
            target,
            number(median(own.map(({ startMilliseconds }) => startMilliseconds)), 0),
            number(median(own.map(({ firstTokenMilliseconds }) => firstTokenMilliseconds)), 0),
            number(median(own.map(({ idleMebibytes }) => idleMebibytes)), 0),
          ],
        ];
  });
}

function number(value: number | undefined, digits: number): string {
  return value === undefined || Number.isNaN(value) ? '' : value.toFixed(digits);
}

function markdown(names: readonly string[], lines: readonly (readonly string[])[]): string {
  return [`| ${names.join(' | ')} |`, `|${names.map(() => '---').join('|')}|`, ...lines.map((cells) => `| ${cells.join(' | ')} |`)].join(
    '\n',
  );
}
