import type { EpochSeconds } from '../core/clock.ts';

/** What one more attempt under a key met. */
export interface AttemptCount {
  /** Attempts without a success since the count last fell to zero, this one included if it was admitted. */
  readonly attempts: number;
  /** No attempt is admitted before this time; undefined: none was barred. */
  readonly barredUntil: EpochSeconds | undefined;
  /** Whether this attempt was admitted and counted. */
  readonly admitted: boolean;
}

/**
 * How attempts are counted. The first `freeAttempts` go through at once; after the n-th, n >= freeAttempts, the key is barred for
 * 2^(n - freeAttempts) seconds (1, 2, 4 …), at most `longestWaitSeconds`.
 */
export interface AttemptPolicy {
  readonly freeAttempts: number;
  readonly longestWaitSeconds: number;
  /** Without an attempt for this long the count starts anew. */
  readonly forgetAfterSeconds: number;
}

/** Counters of login attempts, shared by all nodes. Each method is one statement: parallel attempts are counted one by one. */
export interface LoginThrottleStore {
  /** Counts an attempt before its password is looked at, unless the key is barred at `now`. */
  attempt(key: string, policy: AttemptPolicy, now: EpochSeconds): Promise<AttemptCount>;
  /** Forgets the key and its bar: the attempt was a success. */
  clear(key: string): Promise<void>;
  /** Takes one counted attempt back, never below zero; a bar that stands is left to run out. An unknown key is left unknown. */
  takeBack(key: string): Promise<void>;
}
