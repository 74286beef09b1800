import { InvalidArgumentError } from 'commander';
import { durationBetween, durationOrOff } from '../config/duration.ts';

/** Reads a number of entries to show. */
export function parseLimit(text: string): number {
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit < 1) {
    throw new InvalidArgumentError('It must be a number from 1 to 999999.');
  }
  return limit;
}

/** A reader of durations (`30s`, `10m`, `2h`, `14d`), in seconds. */
export function parseDuration(leastSeconds: number): (text: string) => number {
  return (text) => {
    const parsed = durationBetween(leastSeconds)(text);
    if ('problem' in parsed) {
      throw new InvalidArgumentError(`It ${parsed.problem}.`);
    }
    return parsed.value;
  };
}

/** The same where 0 stands for "no such limit". */
export function parseDurationOrZero(text: string): number {
  const parsed = durationOrOff(1)(text);
  if ('problem' in parsed) {
    throw new InvalidArgumentError(`It ${parsed.problem}.`);
  }
  return parsed.value ?? 0;
}
