import { randomInt } from 'node:crypto';
import type { AttemptPolicy, LoginThrottleStore } from '../accounts/login-throttle-store.ts';
import type { Clock } from '../core/clock.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { networkOf } from '../limits/network.ts';
import type { DeferredRequest, DeferredRequests } from './deferred-request.ts';

/** A user code as it is made. */
export interface UserCode {
  /** As it is shown: `WDJB-MJHT`. */
  readonly text: string;
  /** As it is kept. */
  readonly digest: string;
}

/** What became of a code that was typed. */
export type EnteredCode =
  | { readonly kind: 'found'; readonly request: DeferredRequest; readonly text: string }
  /** It is unknown, expired, decided, or was entered too often: never said which. */
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly by: 'address' | 'user'; readonly retryAfterSeconds: number };

/** Who types a code. */
export interface UserCodeAttempt {
  readonly typed: string;
  readonly remoteAddress: string;
  /** Who is logged in. */
  readonly userId: string | undefined;
}

/** User codes (RFC 8628 section 6.1): made, and entered. */
export interface UserCodes {
  make(): UserCode;
  /**
   * Counts the attempt, then looks: of any number at once, on any node, only the free ones are looked at.
   * @throws StorageUnavailable
   */
  enter(attempt: UserCodeAttempt): Promise<EnteredCode>;
}

/** RFC 8628 section 6.1: no vowels, so no words; nothing that could be read as something else; letters alone, in either case. */
const ALPHABET = 'BCDFGHJKLMNPQRSTVWXZ';
/**
 * 20^8 is 2.56e10, or 34.5 bits. What counts is how many guesses there may be while a code lives (section 5.1): with all 10,000 codes of a client
 * out at once, a guess finds one of them with a chance of 1 in 2.5 million. The policies below leave an address some 20 guesses at once and
 * about 4 an hour after them, so it takes thousands of addresses a day to hit one, and who does may only give a stranger's device access to
 * an account of their own.
 */
const LENGTH = 8;
const LETTERS = new RegExp(`^[${ALPHABET}]{${LENGTH}}$`);
const DOMAIN = 'keyturn user_code';

const ADDRESS_POLICY: AttemptPolicy = { freeAttempts: 20, longestWaitSeconds: 900, forgetAfterSeconds: 3_600 };
const USER_POLICY: AttemptPolicy = { freeAttempts: 10, longestWaitSeconds: 900, forgetAfterSeconds: 3_600 };
/**
 * RFC 10027, "One-Time or Limited Use Codes": one code cannot be sent to any number of people. A few times, because a login may be interrupted
 * and a page be opened again.
 */
const MOST_ENTRIES = 10;

export function userCodes(rooms: {
  readonly deferredRequests: Pick<DeferredRequests, 'enter'>;
  /** The counters, shared by all nodes. */
  readonly attempts: Pick<LoginThrottleStore, 'attempt' | 'takeBack'>;
  readonly secrets: ServerSecrets;
  readonly clock: Clock;
}): UserCodes {
  const { deferredRequests, attempts, secrets, clock } = rooms;

  /** @returns the seconds to wait; undefined: it was counted, and may go on. */
  async function wait(key: string, policy: AttemptPolicy): Promise<number | undefined> {
    const now = clock.now();
    const { admitted, barredUntil } = await attempts.attempt(key, policy, now);
    return admitted ? undefined : Math.max(1, (barredUntil ?? now) - now);
  }

  /** Keyed, for 34 bits are tried out at once by whoever has a plain digest. A server secret that is rotated takes the codes of the moment along. */
  function digestOf(letters: string): string {
    return secrets.newest.mac(DOMAIN, Buffer.from(letters)).toString('base64url');
  }

  return {
    make() {
      const letters = Array.from({ length: LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
      return { text: shown(letters), digest: digestOf(letters) };
    },
    async enter({ typed, remoteAddress, userId }) {
      const addressKey = `user-code address:${networkOf(remoteAddress)}`;
      const userKey = userId === undefined ? undefined : `user-code user:${userId}`;
      // The address first, so that an address that is barred uses up none of the user's attempts.
      const addressWait = await wait(addressKey, ADDRESS_POLICY);
      if (addressWait !== undefined) {
        return { kind: 'throttled', by: 'address', retryAfterSeconds: addressWait };
      }
      const userWait = userKey === undefined ? undefined : await wait(userKey, USER_POLICY);
      if (userWait !== undefined) {
        return { kind: 'throttled', by: 'user', retryAfterSeconds: userWait };
      }
      const letters = lettersOf(typed);
      const request = letters === undefined ? undefined : await deferredRequests.enter(digestOf(letters), MOST_ENTRIES, clock.now());
      if (letters === undefined || request === undefined) {
        return { kind: 'refused' };
      }
      // This attempt alone: anyone may have a code of their own, and must not start anew by it.
      await Promise.all([addressKey, ...(userKey === undefined ? [] : [userKey])].map((key) => attempts.takeBack(key)));
      return { kind: 'found', request, text: shown(letters) };
    },
  };
}

/**
 * A code that was typed, as it is shown (RFC 8628 section 6.1: compared without case, and without whatever is none of the letters).
 * @returns undefined for what cannot be a code.
 */
export function shownUserCode(typed: string): string | undefined {
  const letters = lettersOf(typed);
  return letters && shown(letters);
}

function lettersOf(typed: string): string | undefined {
  const letters = typed.toUpperCase().replaceAll(/[^A-Z0-9]/g, '');
  return LETTERS.test(letters) ? letters : undefined;
}

function shown(letters: string): string {
  return `${letters.slice(0, LENGTH / 2)}-${letters.slice(LENGTH / 2)}`;
}
