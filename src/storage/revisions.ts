import type { Knex } from 'knex';
import type { Database } from './database.ts';

/** Counters in the database that tell every process that something it may have cached has changed. */
export type RevisionName = 'clients' | 'resources' | 'detail_types' | 'trusted_issuers';

/** Counts a change. In the transaction of the change itself, so that whoever sees the new number sees the change. */
export async function moveRevision(transaction: Knex.Transaction, name: RevisionName): Promise<void> {
  await transaction.raw('INSERT INTO revisions (name, value) VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = revisions.value + 1', [
    name,
  ]);
}

/** Looks for changes when it is told to; a timer of the server tells it to. */
export interface ChangeWatcher {
  /**
   * Calls the listener of each revision that moved since the last call; the first call, which cannot know, calls all.
   * @throws StorageUnavailable when it could not look: the next call finds what moved meanwhile.
   */
  poll(): Promise<void>;
}

export function changeWatcher(database: Database, listeners: Readonly<Record<RevisionName, () => void>>): ChangeWatcher {
  const seen = new Map<string, number>();
  return {
    async poll() {
      const rows = await database.rows<{ name: string; value: number }>('SELECT name, value FROM revisions', []);
      const values = new Map(rows.map(({ name, value }) => [name, value]));
      for (const [name, listener] of Object.entries(listeners)) {
        const value = values.get(name) ?? 0;
        // Also when it fell: the database was restored from a backup.
        if (seen.get(name) !== value) {
          seen.set(name, value);
          listener();
        }
      }
    },
  };
}
