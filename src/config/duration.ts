import { type Parsed, shown } from './setting.ts';

/** Units a duration is written in, longest first, and their seconds. */
const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

// Ten years: beyond it a lifetime is a slip of the pen, and sums of it with a date stay far from any integer's end.
const LONGEST_SECONDS = 3_650 * 86_400;

/** A parser of durations (`30s`, `10m`, `2h`, `14d`, `0`) in seconds, bounds included. */
export function durationBetween(leastSeconds: number, mostSeconds: number = LONGEST_SECONDS): (text: string) => Parsed<number> {
  return (text) => {
    const parsed = parseDuration(text);
    if ('problem' in parsed) {
      return parsed;
    }
    if (parsed.value < leastSeconds || parsed.value > mostSeconds) {
      return { problem: `must be from ${writeDuration(leastSeconds)} to ${writeDuration(mostSeconds)}, not ${shown(text)}` };
    }
    return parsed;
  };
}

/** The same where 0 means that there is no such limit: undefined. */
export function durationOrOff(leastSeconds: number): (text: string) => Parsed<number | undefined> {
  const parse = durationBetween(leastSeconds);
  return (text) => {
    const parsed = parseDuration(text);
    return 'value' in parsed && parsed.value === 0 ? { value: undefined } : parse(text);
  };
}

/** Seconds in the largest unit that divides them: 5400 is `90m`. */
export function writeDuration(seconds: number): string {
  if (seconds === 0) {
    return '0';
  }
  const [unit, size] = UNITS.find(([, unitSeconds]) => seconds % unitSeconds === 0) ?? ['s', 1];
  return `${seconds / size}${unit}`;
}

function parseDuration(text: string): Parsed<number> {
  if (/^0+$/.test(text)) {
    return { value: 0 };
  }
  const [, digits, unit] = /^(\d{1,10})([a-z])$/.exec(text) ?? [];
  const size = UNITS.find(([name]) => name === unit)?.[1];
  if (digits !== undefined && size !== undefined) {
    return { value: Number(digits) * size };
  }
  if (/^\d{1,10}$/.test(text)) {
    return { problem: `needs a unit: write "${text}s" for ${text} seconds, or use m, h or d` };
  }
  return { problem: `must be a duration such as 30s, 10m, 2h or 14d, not ${shown(text)}` };
}
