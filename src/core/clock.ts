/** Seconds since 1970-01-01T00:00:00Z, the unit of every date in the protocol (RFC 7519 section 2, NumericDate). */
export type EpochSeconds = number;

/** The only source of the present. Rules take a `Clock` or a `now`, so that tests decide what time it is. */
export interface Clock {
  now(): EpochSeconds;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => Math.floor(Date.now() / 1000) };
