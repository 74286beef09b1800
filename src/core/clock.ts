/** Seconds since 1970-01-01T00:00:00Z, the unit of every date in the protocol (RFC 7519 section 2, NumericDate). */
export type EpochSeconds = number;

/** The only source of the present. Rules take a `Clock` or a `now`, so that tests decide what time it is. */
export interface Clock {
  now(): EpochSeconds;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Math.floor(Date.now() / 1000) };

/** A date as programs of others take it. */
export function dateOf(date: EpochSeconds): Date {
  return new Date(date * 1000);
}

/** A date as people read it: ISO 8601 in UTC, `2026-01-31T09:30:00Z`. */
export function writeDate(date: EpochSeconds): string {
  return dateOf(date).toISOString().replace('.000Z', 'Z');
}
