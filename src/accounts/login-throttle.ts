import type { Clock } from '../core/clock.ts';
import { digest } from '../core/secrets.ts';
import { networkOf } from '../limits/network.ts';
import type { AttemptPolicy, LoginThrottleStore } from './login-throttle-store.ts';

/** Five typos cost nothing; after that a guess costs up to a quarter of an hour: some 100 guesses a day at one account. */
export const ACCOUNT_POLICY: AttemptPolicy = { freeAttempts: 5, longestWaitSeconds: 900, forgetAfterSeconds: 86_400 };

/** Against one password tried at many accounts. Room for an office behind one address: only failures stay counted. */
export const ADDRESS_POLICY: AttemptPolicy = { freeAttempts: 50, longestWaitSeconds: 900, forgetAfterSeconds: 3_600 };

/** An attempt that may go on. It stays counted, as a failure, unless one of the two is called. */
export interface AdmittedAttempt {
  readonly kind: 'admitted';
  /** The password was right: the account starts anew, and the address gets this attempt back, but no more: anyone may own one account. */
  succeeded(): Promise<void>;
  /** The password was not looked at: as if there had been no attempt. */
  abandoned(): Promise<void>;
}

/** An attempt that must wait. */
export interface ThrottledAttempt {
  readonly kind: 'throttled';
  readonly by: 'account' | 'address';
  /** At least 1. */
  readonly retryAfterSeconds: number;
}

/** What is guessed at: each kind has counts of its own for accounts, and they share those for addresses. */
export type GuessedSecret = 'password' | 'second factor';

const KEYS: Readonly<Record<GuessedSecret, string>> = { password: 'account', 'second factor': 'second-factor' };

/** Slows down guessing, per account and per address, on all nodes together. Someone else's guesses can make an owner wait, never lock them out. */
export interface LoginThrottle {
  /**
   * Counts an attempt, before its password is looked at: of any number at once only the free ones go on.
   * @param account whatever names it. For passwords, what was typed as user name, in canonical form: known or not, so that the throttle
   *   tells nobody which it is.
   * @param remoteAddress of the socket, or what a trusted proxy says.
   * @throws StorageUnavailable
   */
  admit(account: string, remoteAddress: string): Promise<AdmittedAttempt | ThrottledAttempt>;
}

/** The throttle over a store of counters. @param rooms `guessed`: passwords, where nothing is said. */
export function createLoginThrottle(rooms: {
  readonly store: LoginThrottleStore;
  readonly clock: Clock;
  readonly guessed?: GuessedSecret;
}): LoginThrottle {
  const { store, clock, guessed = 'password' } = rooms;

  /** @returns the seconds to wait, undefined when the attempt was admitted and counted. */
  async function attempt(key: string, policy: AttemptPolicy): Promise<number | undefined> {
    const now = clock.now();
    const { admitted, barredUntil } = await store.attempt(key, policy, now);
    return admitted ? undefined : Math.max(1, (barredUntil ?? now) - now);
  }

  return {
    async admit(account, remoteAddress) {
      // Digested: people type passwords into the wrong field, and the store is no place for them.
      const accountKey = `${KEYS[guessed]}:${digest(account)}`;
      const addressKey = `address:${networkOf(remoteAddress)}`;

      // The address first, so that an address that is barred can't use up an account's free attempts.
      const addressWait = await attempt(addressKey, ADDRESS_POLICY);
      if (addressWait !== undefined) {
        return { kind: 'throttled', by: 'address', retryAfterSeconds: addressWait };
      }
      const accountWait = await attempt(accountKey, ACCOUNT_POLICY);
      if (accountWait !== undefined) {
        return { kind: 'throttled', by: 'account', retryAfterSeconds: accountWait };
      }
      return {
        kind: 'admitted',
        async succeeded() {
          await Promise.all([store.clear(accountKey), store.takeBack(addressKey)]);
        },
        async abandoned() {
          await Promise.all([store.takeBack(accountKey), store.takeBack(addressKey)]);
        },
      };
    },
  };
}
