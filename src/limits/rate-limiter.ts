import { LRUCache } from 'lru-cache';
import type { Clock } from '../core/clock.ts';

/** So many requests in a row, and then so many a second. */
export interface RateLimit {
  /** For the header fields and the log. */
  readonly name: string;
  readonly burst: number;
  readonly perSecond: number;
}

/** What one more request under a key met. */
export interface Allowance {
  readonly limit: RateLimit;
  readonly admitted: boolean;
  /** Requests that would still be admitted now. */
  readonly remaining: number;
  /** Until all of the burst is there again. */
  readonly resetSeconds: number;
  /** Until the next request is admitted; 0 where this one was. */
  readonly retryAfterSeconds: number;
  /** Whether this refusal is worth a line: the first of its key in a while. */
  readonly isNews: boolean;
}

/** What the requests of this process took of one key since it was last told to the others. */
export interface Use {
  /** Of all limits of all processes. */
  readonly key: string;
  /** In seconds of the limit: requests divided by `perSecond`. */
  readonly seconds: number;
}

/** Until when a key is spent, all processes together, in seconds since 1970 with a fraction. */
export interface SpentKey {
  readonly key: string;
  readonly until: number;
}

/**
 * Counts requests by key against one limit, in the memory of this process: the generic cell rate algorithm (ITU-T I.371), one number a key,
 * with no timer and no database. A key that takes a share of its limit worth telling is told to the other processes by `unshared` and
 * `learn`, so that all of them together admit about one limit. Memory is bounded: of too many keys the one that was idle longest is dropped.
 */
export interface RateLimiter {
  take(key: string): Allowance;
  /** Seconds until the key is admitted again, 0 where it would be now. Counts nothing. */
  wait(key: string): number;
  /** Whether no key was ever taken: then there is nothing to look up. */
  isUnused(): boolean;
  /** Keys with use that the other processes do not know of, and marks it as told. At most `most`. */
  unshared(most: number): readonly Use[];
  /** Takes in what all processes know. Keys of other limits are left alone. */
  learn(spent: readonly SpentKey[]): void;
  /** Puts back what could not be told. */
  putBack(uses: readonly Use[]): void;
}

interface Rate {
  /**
   * Seconds until the key has its whole burst again, as of `at`: the "theoretical arrival time" of the algorithm, kept as a difference because
   * adding small times to one of 1970 loses them.
   */
  used: number;
  at: number;
  /** Of `used`, what only this process knows. */
  unshared: number;
  newsAgainAt: number;
}

/** A tenth: below that, ten processes that know nothing of each other admit no more than one limit. */
const SHARE_WORTH_TELLING = 0.1;
const NEWS_SECONDS = 60;
const ROUNDING = 1e-6;

/** Keys of one limit that are kept in memory: some 4 MB. */
export const MOST_KEYS = 20_000;

export function createRateLimiter(limit: RateLimit, clock: Clock, mostKeys: number = MOST_KEYS): RateLimiter {
  const interval = 1 / limit.perSecond;
  const burstSeconds = limit.burst / limit.perSecond;
  const prefix = `${limit.name}:`;
  const rates = new LRUCache<string, Rate>({ max: mostKeys });
  const toTell = new Map<string, Rate>();

  function rateOf(key: string, now: number): Rate {
    const known = rates.get(key);
    if (known !== undefined) {
      // A clock that was put back gives nothing and takes nothing.
      known.used -= Math.max(0, now - known.at);
      known.at = now;
      if (known.used <= 0) {
        known.used = 0;
        known.unshared = 0;
      }
      return known;
    }
    const rate = { used: 0, at: now, unshared: 0, newsAgainAt: 0 };
    rates.set(key, rate);
    return rate;
  }

  function waitOf(rate: Rate): number {
    const wait = rate.used + interval - burstSeconds;
    // Never 0 for a refusal, and whole, as Retry-After has it.
    return wait <= ROUNDING ? 0 : Math.max(1, Math.ceil(wait - ROUNDING));
  }

  return {
    take(key) {
      const now = clock.now();
      const rate = rateOf(key, now);
      const retryAfterSeconds = waitOf(rate);
      const admitted = retryAfterSeconds === 0;
      let isNews = false;
      if (admitted) {
        rate.used += interval;
        rate.unshared += interval;
        // No more than are kept, also while nobody can be told.
        if (rate.used > burstSeconds * SHARE_WORTH_TELLING && toTell.size < mostKeys) {
          toTell.set(key, rate);
        }
      } else if (now >= rate.newsAgainAt) {
        rate.newsAgainAt = now + NEWS_SECONDS;
        isNews = true;
      }
      const remaining = Math.max(0, Math.floor((burstSeconds - rate.used) * limit.perSecond + ROUNDING));
      return { limit, admitted, remaining, resetSeconds: Math.ceil(rate.used - ROUNDING), retryAfterSeconds, isNews };
    },
    wait(key) {
      return rates.has(key) ? waitOf(rateOf(key, clock.now())) : 0;
    },
    isUnused: () => rates.size === 0,
    unshared(most) {
      const uses: Use[] = [];
      for (const [key, rate] of toTell) {
        if (uses.length === most) {
          break;
        }
        uses.push({ key: prefix + key, seconds: rate.unshared });
        rate.unshared = 0;
        toTell.delete(key);
      }
      return uses;
    },
    learn(spent) {
      for (const { key, until } of spent) {
        if (key.startsWith(prefix)) {
          const now = clock.now();
          const rate = rateOf(key.slice(prefix.length), now);
          // What was taken while the others were asked is on top of what they know.
          rate.used = Math.max(rate.used, until - now + rate.unshared);
        }
      }
    },
    putBack(uses) {
      for (const { key, seconds } of uses) {
        if (key.startsWith(prefix)) {
          const own = key.slice(prefix.length);
          const rate = rateOf(own, clock.now());
          rate.unshared += seconds;
          toTell.set(own, rate);
        }
      }
    },
  };
}
