import type { Knex } from 'knex';
import Client from 'knex/lib/dialects/sqlite3/index.js';
import { codeOf } from './failures.ts';

/**
 * How long SQLite itself waits for a lock before it gives up. Its waits grow to a tenth of a second, and whoever waits like that beside a process
 * that writes all the time comes last for half a second: so it is asked again and again instead, by `untilUnlocked`.
 */
export const POLL_MILLISECONDS = 2;

/**
 * Runs a statement, again and again while another process has the lock that it needs.
 * @param attempt leaves nothing under way when it fails.
 * @throws what `attempt` threw at last, SQLITE_BUSY when the lock was not to be had for `longestMilliseconds`.
 */
export async function untilUnlocked<T>(longestMilliseconds: number, attempt: () => Promise<T>): Promise<T> {
  let deadline: number | undefined;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (codeOf(error) !== 'SQLITE_BUSY') {
        throw error;
      }
      const now = performance.now();
      deadline ??= now + longestMilliseconds - POLL_MILLISECONDS;
      if (now >= deadline) {
        throw error;
      }
    }
  }
}

/** Knex's own client for SQLite, whose statements wait for locks in that way. A statement that waited in vain has changed nothing, so it may run again. */
export function patientClient(longestMilliseconds: number): typeof Knex.Client {
  return class extends Client {
    override _query<Query>(connection: unknown, query: Query): Promise<Query> {
      return untilUnlocked(longestMilliseconds, () => super._query(connection, query));
    }
  };
}
