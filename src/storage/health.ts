import type { Database } from './database.ts';

/**
 * Whether the database answers, and is still the one that was opened: a file that was deleted or replaced goes on working unseen.
 * @throws StorageUnavailable when not.
 */
export async function checkDatabase(database: Database): Promise<void> {
  await database.verifyLocation();
  await database.rows('SELECT name FROM revisions LIMIT 1', []);
}
