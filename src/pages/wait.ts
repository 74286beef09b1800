import type { Language } from './languages.ts';

/** `30 seconds`, `2 minutes`: rounded up, for too early is a wasted attempt. */
export function wait(language: Language, seconds: number): string {
  const whole = Math.max(1, Math.ceil(seconds));
  const [unit, amount] =
    whole < 100 ? ['second', whole] : whole < 5400 ? ['minute', Math.ceil(whole / 60)] : ['hour', Math.ceil(whole / 3600)];
  return new Intl.NumberFormat(language, { style: 'unit', unit, unitDisplay: 'long' }).format(amount);
}
