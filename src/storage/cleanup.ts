import type { EpochSeconds } from '../core/clock.ts';
import { PENDING_REQUEST_SECONDS } from '../interaction/pending-request.ts';
import type { Database } from './database.ts';

/** How many records of each kind a run deleted. */
export interface CleanupCounts {
  readonly grants: number;
  readonly sessions: number;
  readonly revokedAccessTokens: number;
  readonly loginAttempts: number;
  readonly pushedRequests: number;
  readonly usedIdentifiers: number;
  readonly rateLimits: number;
}

export interface CleanupTimes {
  readonly now: EpochSeconds;
  /** A record goes when it has been over for longer than this: the longest lifetime of an access token, which may still refer to it. */
  readonly keepSeconds: number;
  /** A count of login attempts goes when the last attempt is longer ago than this. */
  readonly forgetAttemptsSeconds: number;
}

/** Deletes what is over. A run does a bounded piece of work, and the next one goes on where it stopped. */
export interface Cleanup {
  /** @throws StorageUnavailable: what was deleted until then is deleted. */
  run(times: CleanupTimes): Promise<CleanupCounts>;
}

/**
 * Dates of expiry that move are not indexed (an index on what every rotation changes would cost each of them), so those tables are walked by
 * their keys, page by page, each page a short statement of its own that requests wait for no longer than for one another. Where the date is
 * fixed at birth, an index finds what is over.
 */
export function cleanupOf(database: Database): Cleanup {
  const grants = sweeper(database, { table: 'grants', key: 'id', over: FORGETTABLE_GRANT });
  const sessions = sweeper(database, { table: 'sessions', key: 'id', over: 'idle_expires_at < ? OR expires_at < ?' });
  const tokens = sweeper(database, { table: 'revoked_access_tokens', key: 'jti', over: 'expires_at < ?' });
  const attempts = sweeper(database, {
    table: 'login_attempts',
    key: 'key',
    over: 'last_attempt_at < ? AND coalesce(barred_until, 0) < ?',
  });
  const rates = sweeper(database, { table: 'rate_limits', key: 'key', over: 'spent_until < ?' });
  const pushedRequests = expiryOf(database, { table: 'pushed_requests', key: 'id' });
  const identifiers = expiryOf(database, { table: 'used_identifiers', key: 'namespace, value' });
  return {
    async run({ now, keepSeconds, forgetAttemptsSeconds }) {
      const end = now - keepSeconds;
      return {
        grants: await grants([end, end]),
        sessions: await sessions([end, end]),
        revokedAccessTokens: await tokens([end]),
        loginAttempts: await attempts([now - forgetAttemptsSeconds, now]),
        // One that a browser came with in time is looked for until its login is over.
        pushedRequests: await pushedRequests(now - PENDING_REQUEST_SECONDS),
        usedIdentifiers: await identifiers(now),
        // In microseconds.
        rateLimits: await rates([now * 1e6]),
      };
    },
  };
}

// A grant remembers, while its session lasts, that its client must be told of a logout (OpenID Connect Back-Channel Logout section 2.3).
const FORGETTABLE_GRANT =
  '(revoked_at < ? OR expires_at < ?) AND NOT EXISTS (SELECT 1 FROM sessions WHERE sessions.sid = grants.session_id)';

const PAGE_ROWS = 500;
const PAGES_A_RUN = 20;

interface Sweep {
  readonly table: string;
  readonly key: string;
  /** SQL that is true of a row which may go. */
  readonly over: string;
}

/** @returns a function that walks some pages further, from the first key again after the last, and answers how many rows it deleted. */
function sweeper(database: Database, { table, key, over }: Sweep): (bindings: readonly number[]) => Promise<number> {
  const nextPage = `SELECT max(${key}) AS last, count(*) AS rows_seen FROM (SELECT ${key} FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ${PAGE_ROWS}) AS page`;
  // The page's end is looked up first: the rows of a page are then deleted by a range of the key, on both databases.
  const deletion = `${key} > ? AND ${key} <= ? AND (${over})`;
  let cursor = '';

  return async (bindings) => {
    let deleted = 0;
    for (let page = 0; page < PAGES_A_RUN; page++) {
      const [found] = await database.rows<{ last: string | null; rows_seen: number }>(nextPage, [cursor]);
      if (found === undefined || found.last === null) {
        cursor = '';
        break;
      }
      const { last } = found;
      deleted += await database.run((knex) =>
        knex(table)
          .whereRaw(deletion, [cursor, last, ...bindings])
          .delete(),
      );
      cursor = found.rows_seen < PAGE_ROWS ? '' : last;
      if (cursor === '') {
        break;
      }
    }
    return deleted;
  };
}

/** @returns a function that deletes what expired before `end`, the oldest first, and answers how many rows that were. */
function expiryOf(database: Database, { table, key }: Pick<Sweep, 'table' | 'key'>): (end: EpochSeconds) => Promise<number> {
  const deletion = `DELETE FROM ${table} WHERE (${key}) IN (SELECT ${key} FROM ${table} WHERE expires_at < ? ORDER BY expires_at LIMIT ${PAGE_ROWS}) RETURNING 1 AS deleted`;

  return async (end) => {
    let deleted = 0;
    for (let page = 0; page < PAGES_A_RUN; page++) {
      const rows = await database.rows(deletion, [end]);
      deleted += rows.length;
      if (rows.length < PAGE_ROWS) {
        break;
      }
    }
    return deleted;
  };
}
