import type { DatabaseLocation } from '../config/config.ts';
import { type Database, databaseOn } from './database.ts';

/**
 * Opens the database and sees that it answers. A SQLite file that is not there is made, with its folder, readable by this account alone.
 * @param hasPooler connections are handed out by the transaction: nothing may be set on them, so the role's own settings are checked.
 * @throws DatabaseOpenError when it cannot be reached, written, or is damaged.
 */
export async function openDatabase(
  location: DatabaseLocation,
  { hasPooler = false }: { readonly hasPooler?: boolean } = {},
): Promise<Database> {
  // Each driver is loaded where it is used, and nowhere else.
  switch (location.kind) {
    case 'sqlite': {
      const { connectSqlite } = await import('./sqlite.ts');
      return databaseOn(await connectSqlite(location.path));
    }
    case 'postgres': {
      const { connectPostgres } = await import('./postgres.ts');
      return databaseOn(await connectPostgres(location.url, { hasPooler }));
    }
    default:
      return location satisfies never;
  }
}
