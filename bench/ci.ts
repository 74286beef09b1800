import { type GoalResult, goalResults } from './goals.ts';
import { goalTable, tables } from './report.ts';
import type { Results } from './results.ts';

const TRIES = 3;

/**
 * How far a goal that was met may be missed, as a part of it. Ratios of CPU time, which are steadier than requests a second; docs/benchmarks.md
 * says how the margin was found.
 */
export const MARGIN = 0.25;

/** The goals of the short form that are met. One that is not is in the table, and moves here when it is. */
const GUARDED: readonly string[] = ['CPU of client_credentials, of the floor', 'idle memory'];

/** Measures up to three times, until no guarded goal is missed by more than the margin. @returns the exit status: 1 when every try missed one. */
export async function checkAgainstMargins(measure: () => Promise<Results>): Promise<0 | 1> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const results = await measure();
    const guarded = goalResults(results).filter(({ goal }) => GUARDED.includes(goal));
    const missed = guarded.filter((goal) => !isWithinMargin(goal));
    process.stdout.write(`${tables(results)}\n`);
    if (missed.length === 0 && guarded.length === GUARDED.length) {
      return 0;
    }
    process.stdout.write(`try ${attempt} of ${TRIES}: missed by more than ${MARGIN * 100} %\n${goalTable(missed)}\n`);
  }
  return 1;
}

/** By CPU where the goal knows both: a runner with noisy neighbours says little by requests a second. */
export function isWithinMargin({ value, cpuValue, wanted, direction }: GoalResult): boolean {
  const measured = cpuValue ?? value;
  if (measured === undefined || Number.isNaN(measured)) {
    return false;
  }
  return direction === 'at least' ? measured >= wanted * (1 - MARGIN) : measured <= wanted * (1 + MARGIN);
}
