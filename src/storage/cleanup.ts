import type { EpochSeconds } from '../core/clock.ts';
import { CLEANUP_PACE, type CleanupPace, slicesAt } from './cleanup-pace.ts';
import type { Database } from './database.ts';
import { unusedClientsOf } from './unused-clients.ts';

/** How many records of each kind a run deleted. */
export interface CleanupCounts {
  readonly grants: number;
  readonly sessions: number;
  readonly revokedAccessTokens: number;
  readonly loginAttempts: number;
  readonly pushedRequests: number;
  readonly deferredRequests: number;
  readonly usedIdentifiers: number;
  readonly statusChanges: number;
  readonly statusBlocks: number;
  readonly rateLimits: number;
  readonly documentClients: number;
  readonly registrationTokens: number;
  readonly unusedClients: number;
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
 * fixed at birth, an index finds what is over. No statement looks at more than a page, however large the table.
 */
export function cleanupOf(database: Database, pace: CleanupPace = CLEANUP_PACE): Cleanup {
  const grants = walkOf(database, pace, { table: 'grants', key: 'id', over: FORGETTABLE_GRANT });
  const sessions = walkOf(database, pace, { table: 'sessions', key: 'id', over: 'idle_expires_at < ? OR expires_at < ?' });
  const tokens = walkOf(database, pace, { table: 'revoked_access_tokens', key: 'jti', over: 'expires_at < ?' });
  const attempts = walkOf(database, pace, {
    table: 'login_attempts',
    key: 'key',
    over: 'last_attempt_at < ? AND coalesce(barred_until, 0) < ?',
  });
  const pushedRequests = expiryOf(database, pace, { table: 'pushed_requests', end: 'keep_until' });
  const deferredRequests = expiryOf(database, pace, { table: 'deferred_requests', end: 'expires_at' });
  const identifiers = expiryOf(database, pace, { table: 'used_identifiers', end: 'expires_at' });
  const statusChanges = expiryOf(database, pace, { table: 'status_changes', end: 'changed_at' });
  const statusBlocks = expiryOf(database, pace, { table: 'status_blocks', end: 'expires_at' });
  const rates = walkOf(database, pace, { table: 'rate_limits', key: 'key', over: 'spent_until < ?' });
  const documentClients = walkOf(database, pace, { table: 'clients', key: 'id', over: UNUSED_DOCUMENT_CLIENT });
  const registrationTokens = expiryOf(database, pace, { table: 'registration_tokens', end: 'expires_at' });
  const unusedClients = unusedClientsOf(database, pace);
  return {
    async run({ now, keepSeconds, forgetAttemptsSeconds }) {
      const end = now - keepSeconds;
      return {
        grants: await grants(now, [end, end]),
        sessions: await sessions(now, [end, end]),
        revokedAccessTokens: await tokens(now, [end]),
        loginAttempts: await attempts(now, [now - forgetAttemptsSeconds, now]),
        pushedRequests: await pushedRequests(now),
        deferredRequests: await deferredRequests(now - REPEATED_SECONDS),
        usedIdentifiers: await identifiers(now),
        // A while after every node has let go of them.
        statusChanges: await statusChanges(end - STATUS_SPARE_SECONDS),
        statusBlocks: await statusBlocks(now - STATUS_SPARE_SECONDS),
        // In microseconds.
        rateLimits: await rates(now, [now * 1e6]),
        // Last, for its grants may just have gone.
        documentClients: await documentClients(now, [now - UNUSED_SECONDS]),
        registrationTokens: await registrationTokens(now),
        unusedClients: await unusedClients(now),
      };
    },
  };
}

// A grant remembers, while its session lasts, that its client must be told of a logout (OpenID Connect Back-Channel Logout section 2.3).
// Asked row by row: for NOT EXISTS, PostgreSQL may read all sessions for each page.
const FORGETTABLE_GRANT =
  '(revoked_at < ? OR expires_at < ?) AND (SELECT sessions.sid FROM sessions WHERE sessions.sid = grants.session_id LIMIT 1) IS NULL';

// As long as a lost answer may be asked for again (REFRESH_TOKEN_GRACE): what is allowed in its last second is exchanged after it.
const REPEATED_SECONDS = 60;

// What a client that describes itself leaves behind when nobody allows it anything any more. It is said to be in use before anything comes to refer
// to it, for longer than that takes (clients/document-clients.ts): so nothing is deleted with it that was made since it was looked at.
const UNUSED_DOCUMENT_CLIENT = `document_used_at < ? AND ${hasNone('grants')} AND ${hasNone('deliveries')}`;
const UNUSED_SECONDS = 86_400;

// Longer than nodes keep them (status-lists/status-lists.ts), and than the clock of the database may differ from ours.
const STATUS_SPARE_SECONDS = 900;

/** By the index, always: asked for a row of that client and no more, PostgreSQL may think that it meets one soon, and read the whole table. */
function hasNone(table: string): string {
  return `coalesce((SELECT client_id FROM ${table} WHERE client_id >= clients.id ORDER BY client_id LIMIT 1), '') <> clients.id`;
}

interface Walk {
  readonly table: string;
  readonly key: string;
  /** SQL that is true of a row which may go. */
  readonly over: string;
}

/** @returns a function that goes some pages further, from the first key again after the last, and answers how many rows it deleted. */
function walkOf(
  database: Database,
  pace: CleanupPace,
  { table, key, over }: Walk,
): (now: EpochSeconds, bindings: readonly number[]) => Promise<number> {
  const nextPage = `SELECT max(${key}) AS last, count(*) AS rows_seen FROM (SELECT ${key} FROM ${table} WHERE ${key} > ? ORDER BY ${key} LIMIT ?) AS page`;
  // The page's end is looked up first: the rows of a page are then deleted by a range of the key, on both databases.
  const deletion = `${key} > ? AND ${key} <= ? AND (${over})`;
  const slice = slicesAt(pace);
  let cursor = '';
  let earliestStart = Number.NEGATIVE_INFINITY;

  return async (now, bindings) => {
    if (cursor === '') {
      if (now < earliestStart) {
        return 0;
      }
      earliestStart = now + pace.walkSeconds;
    }
    return slice(async (rows) => {
      const [found] = await database.rows<{ last: string | null; rows_seen: number }>(nextPage, [cursor, rows]);
      if (found === undefined || found.last === null) {
        cursor = '';
        return { deleted: 0, isLast: true };
      }
      const { last } = found;
      const deleted = await database.run((knex) =>
        knex(table)
          .whereRaw(deletion, [cursor, last, ...bindings])
          .delete(),
      );
      const isLast = found.rows_seen < rows;
      cursor = isLast ? '' : last;
      return { deleted, isLast };
    });
  };
}

/** @returns a function that deletes what ended before a date, by the column `end`, the oldest first, and answers how many rows that were. */
function expiryOf(
  database: Database,
  pace: CleanupPace,
  { table, end: column }: { readonly table: string; readonly end: string },
): (end: EpochSeconds) => Promise<number> {
  const oldest = (address: string): string => `SELECT ${address} FROM ${table} WHERE ${column} < ? ORDER BY ${column} LIMIT ?`;
  // By where the rows are: given a list of keys instead, PostgreSQL may prefer to read the whole table. A row that changed meanwhile is
  // elsewhere, and stays.
  const page = database.kind === 'sqlite' ? `rowid IN (${oldest('rowid')})` : `ctid = ANY(ARRAY(${oldest('ctid')}))`;
  const deletion = `DELETE FROM ${table} WHERE ${page} RETURNING 1 AS deleted`;
  const slice = slicesAt(pace);

  return (end) =>
    slice(async (rows) => {
      const { length: deleted } = await database.rows(deletion, [end, rows]);
      return { deleted, isLast: deleted < rows };
    });
}
