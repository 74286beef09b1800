import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { type PostgresServer, sharedPostgres, skipWithoutPostgres } from './postgres.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Databases for one suite. */
export interface TestDatabases {
  readonly kind: DatabaseLocation['kind'];
  /** A fresh, empty database: a new file, or a new database on the shared server. For `before`, `beforeEach` and `it`. */
  create(): Promise<DatabaseLocation>;
  /** Removes all that `create` made. Happens by itself at the end of the suite; earlier where a suite makes very many. */
  dispose(): Promise<void>;
}

/**
 * A suite that runs twice: `title on SQLite` and `title on PostgreSQL`, a real one. Hooks of the suite that close a database run before
 * the database is removed.
 */
export function onEachDatabase(title: string, suite: (database: TestDatabases) => void): void {
  describe(title, () => {
    describe('on SQLite', () => withDisposal(sqliteDatabases(), suite));
  });
  describe(title, () => {
    // One level above the suite, because a skip does not keep the other hooks of its own level from running.
    before(skipWithoutPostgres);
    describe('on PostgreSQL', () => withDisposal(postgresDatabases(), suite));
  });
}

/** Fresh SQLite files, each in a folder of its own. Outside `onEachDatabase`, call `dispose` in an `after`. */
export function sqliteDatabases(): TestDatabases {
  const folders: string[] = [];
  return {
    kind: 'sqlite',
    async create() {
      const folder = await temporaryFolder();
      folders.push(folder);
      return { kind: 'sqlite', path: join(folder, 'keyturn.sqlite') };
    },
    async dispose() {
      for (const folder of folders.splice(0)) {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

/** Fresh databases on the shared PostgreSQL server. Outside `onEachDatabase`, use `before(skipWithoutPostgres)` and call `dispose` in an `after`. */
export function postgresDatabases(): TestDatabases {
  const urls: string[] = [];
  return {
    kind: 'postgres',
    async create() {
      const url = await (await server()).createDatabase();
      urls.push(url);
      return { kind: 'postgres', url };
    },
    async dispose() {
      for (const url of urls.splice(0)) {
        await (await server()).dropDatabase(url);
      }
    },
  };
}

function withDisposal(databases: TestDatabases, suite: (database: TestDatabases) => void): void {
  suite(databases);
  // Last, so that it runs after the suite's own `after` hooks.
  after(async function dispose() {
    this.timeout(60_000);
    await databases.dispose();
  });
}

async function server(): Promise<PostgresServer> {
  const postgres = await sharedPostgres();
  if (postgres === undefined) {
    throw new Error('There is no PostgreSQL here: put before(skipWithoutPostgres) one level above this suite.');
  }
  return postgres;
}
