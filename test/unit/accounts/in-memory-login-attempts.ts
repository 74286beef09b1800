import type { LoginThrottleStore } from '../../../src/accounts/login-throttle-store.ts';
import type { EpochSeconds } from '../../../src/core/clock.ts';

interface Counter {
  readonly attempts: number;
  readonly lastAt: EpochSeconds;
  readonly barredUntil: EpochSeconds | undefined;
}

/** Counters of login attempts in the memory of one test; `keys` are those that are known. */
export function inMemoryLoginAttempts(): LoginThrottleStore & { keys(): readonly string[] } {
  const counters = new Map<string, Counter>();
  return {
    keys: () => [...counters.keys()],
    async attempt(key, policy, now) {
      const known = counters.get(key);
      const old = known !== undefined && known.lastAt > now - policy.forgetAfterSeconds ? known : undefined;
      if (old?.barredUntil !== undefined && old.barredUntil > now) {
        return { attempts: old.attempts, barredUntil: old.barredUntil, admitted: false };
      }
      const attempts = (old?.attempts ?? 0) + 1;
      const wait = Math.min(2 ** (attempts - policy.freeAttempts), policy.longestWaitSeconds);
      const barredUntil = attempts < policy.freeAttempts ? undefined : now + wait;
      counters.set(key, { attempts, lastAt: now, barredUntil });
      return { attempts, barredUntil, admitted: true };
    },
    async clear(key) {
      counters.delete(key);
    },
    async takeBack(key) {
      const counter = counters.get(key);
      if (counter !== undefined && counter.attempts > 0) {
        counters.set(key, { ...counter, attempts: counter.attempts - 1 });
      }
    },
  };
}
