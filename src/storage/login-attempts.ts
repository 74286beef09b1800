import type { AttemptCount, LoginThrottleStore } from '../accounts/login-throttle-store.ts';
import type { Database } from './database.ts';

/** The counters of login attempts in the database. */
export function loginAttemptsIn(database: Database): LoginThrottleStore {
  return {
    async attempt(key, policy, now) {
      const { freeAttempts: free, longestWaitSeconds: longest } = policy;
      const forgotten = now - policy.forgetAfterSeconds;
      // What a count that starts anew meets: the wait after the first attempt.
      const firstBar = free <= 1 ? now + Math.min(2 ** (1 - free), longest) : null;
      // From this many doublings on a wait is the longest.
      const doublings = Math.ceil(Math.log2(longest));
      const bindings = [key, now, firstBar, forgotten, forgotten, free, free, doublings, longest, free, forgotten];
      const [admitted] = await database.rows<AttemptRow>(ADMIT, bindings);
      if (admitted !== undefined) {
        return countOf(admitted, true);
      }
      // Refused, and decided: this only tells why. No row any more: somebody's success has just cleared it.
      const [barred] = await database.rows<AttemptRow>('SELECT attempts, barred_until FROM login_attempts WHERE key = ?', [key]);
      return countOf(barred ?? { attempts: 0, barred_until: null }, false);
    },
    async clear(key) {
      await database.rows('DELETE FROM login_attempts WHERE key = ?', [key]);
    },
    async takeBack(key) {
      await database.rows('UPDATE login_attempts SET attempts = attempts - 1 WHERE key = ? AND attempts > 0', [key]);
    },
  };
}

// Returns a row if and only if the attempt is admitted. One that is not changes nothing, and so costs no write to disk.
const ADMIT = `
  INSERT INTO login_attempts (key, attempts, last_attempt_at, barred_until) VALUES (?, 1, ?, ?)
  ON CONFLICT (key) DO UPDATE SET
    attempts = CASE WHEN login_attempts.last_attempt_at <= ? THEN 1 ELSE login_attempts.attempts + 1 END,
    last_attempt_at = excluded.last_attempt_at,
    barred_until = CASE
      WHEN login_attempts.last_attempt_at <= ? THEN excluded.barred_until
      WHEN login_attempts.attempts + 1 < ? THEN NULL
      WHEN login_attempts.attempts + 1 - ? >= ? THEN excluded.last_attempt_at + ?
      ELSE excluded.last_attempt_at + (1 << (login_attempts.attempts + 1 - ?)) END
  WHERE login_attempts.last_attempt_at <= ?
    OR login_attempts.barred_until IS NULL OR login_attempts.barred_until <= excluded.last_attempt_at
  RETURNING attempts, barred_until`;

interface AttemptRow {
  readonly attempts: number;
  readonly barred_until: number | null;
}

function countOf(row: AttemptRow, admitted: boolean): AttemptCount {
  return { attempts: row.attempts, barredUntil: row.barred_until ?? undefined, admitted };
}
