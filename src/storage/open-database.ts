import type { DatabaseLocation } from '../config/config.ts';
import { type Database, databaseOn } from './database.ts';
import { connectPostgres } from './postgres.ts';
import { connectSqlite } from './sqlite.ts';

/**
 * Opens the database and sees that it answers. A SQLite file that is not there is made, with its folder, readable by this account alone.
 * @throws DatabaseOpenError when it cannot be reached, written, or is damaged.
 */
export async function openDatabase(location: DatabaseLocation): Promise<Database> {
  switch (location.kind) {
    case 'sqlite':
      return databaseOn(await connectSqlite(location.path));
    case 'postgres':
      return databaseOn(await connectPostgres(location.url));
    default:
      return location satisfies never;
  }
}
