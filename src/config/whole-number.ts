import { type Parsed, shown } from './setting.ts';

/** A parser of whole numbers within bounds, both included. */
export function wholeNumberBetween(least: number, most: number): (text: string) => Parsed<number> {
  return (text) => {
    const number = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
    return number >= least && number <= most
      ? { value: number }
      : { problem: `must be a whole number from ${least} to ${most}, not ${shown(text)}` };
  };
}
