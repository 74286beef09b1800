import type { Knex } from 'knex';
import { migrations as released } from '../../migrations/index.ts';
import type { Migration } from '../../migrations/migration.ts';
import { type EpochSeconds, systemClock } from '../core/clock.ts';
import type { Database } from './database.ts';
import { DatabaseOpenError } from './database-open-error.ts';

/** Where one migration stands in a database. */
export interface MigrationStatus {
  readonly name: string;
  /** undefined: it is still to come. */
  readonly appliedAt: EpochSeconds | undefined;
}

/**
 * Brings the schema up to date. Any number of nodes may do so at once, and may be killed doing so: one applies what is missing in one
 * transaction, the others wait for it. A database that is up to date is only read.
 * @returns the names of the migrations this call applied.
 * @throws DatabaseOpenError when the database has migrations that this server does not know.
 */
export async function migrateUp(database: Database, migrations: readonly Migration[] = released): Promise<readonly string[]> {
  const pending = (await migrationStatus(database, migrations)).some(({ appliedAt }) => appliedAt === undefined);
  if (!pending) {
    return [];
  }
  return alone(database, async (transaction) => {
    // Read again: another node may have been faster.
    const applied = await appliedNames(transaction);
    refuseUnknown(applied, migrations);
    const missing = migrations.filter(({ name }) => !applied.includes(name));
    for (const { name, up } of missing) {
      await up(transaction);
      await transaction(TABLE).insert({ name, applied_at: systemClock.now() });
    }
    return missing.map(({ name }) => name);
  });
}

/**
 * Undoes the newest migration, with the data that only it had room for.
 * @returns its name, or undefined when there is none.
 * @throws DatabaseOpenError as `migrateUp` does.
 */
export async function migrateDown(database: Database, migrations: readonly Migration[] = released): Promise<string | undefined> {
  return alone(database, async (transaction) => {
    const applied = await appliedNames(transaction);
    refuseUnknown(applied, migrations);
    const newest = migrations.findLast(({ name }) => applied.includes(name));
    if (newest !== undefined) {
      await newest.down(transaction);
      await transaction(TABLE).where({ name: newest.name }).delete();
    }
    return newest?.name;
  });
}

/**
 * Each migration and since when it is applied, oldest first. Only reads.
 * @throws DatabaseOpenError as `migrateUp` does.
 */
export async function migrationStatus(
  database: Database,
  migrations: readonly Migration[] = released,
): Promise<readonly MigrationStatus[]> {
  const applied = await database.run(async (knex) => ((await knex.schema.hasTable(TABLE)) ? appliedRows(knex) : []));
  refuseUnknown(
    applied.map(({ name }) => name),
    migrations,
  );
  return migrations.map(({ name }) => ({ name, appliedAt: applied.find((row) => row.name === name)?.applied_at }));
}

const TABLE = 'migrations';

// Any number that no other program uses for a lock on the same database: "keyturn" in ASCII.
const ADVISORY_LOCK = '30229468346774126';

// PRAGMA application_id: "KeyT" in ASCII.
const APPLICATION_ID = 0x4b657954;

interface AppliedRow {
  readonly name: string;
  readonly applied_at: EpochSeconds;
}

/** Runs `work` in one transaction, with every other node that migrates kept out until it ends. A killed process leaves no lock behind. */
function alone<T>(database: Database, work: (transaction: Knex.Transaction) => Promise<T>): Promise<T> {
  return database.patiently((knex) =>
    knex.transaction(async (transaction) => {
      if (database.kind === 'postgres') {
        await transaction.raw(`SELECT pg_advisory_xact_lock(${ADVISORY_LOCK})`);
      } else {
        // A write, so that the transaction has SQLite's one write lock before it reads; and `file` says whose database this is.
        await transaction.raw(`PRAGMA application_id = ${APPLICATION_ID}`);
      }
      await transaction.raw(`CREATE TABLE IF NOT EXISTS ${TABLE} (name text PRIMARY KEY, applied_at bigint NOT NULL)`);
      return work(transaction);
    }),
  );
}

function appliedRows(knex: Knex): Promise<AppliedRow[]> {
  return knex(TABLE).select<AppliedRow[]>('name', 'applied_at').orderBy('name');
}

async function appliedNames(knex: Knex): Promise<readonly string[]> {
  return (await appliedRows(knex)).map(({ name }) => name);
}

function refuseUnknown(applied: readonly string[], migrations: readonly Migration[]): void {
  const unknown = applied.find((name) => !migrations.some((migration) => migration.name === name));
  if (unknown !== undefined) {
    throw new DatabaseOpenError(
      `The database is newer than this server: it has the migration ${unknown}. Start the newer version of the server.`,
    );
  }
}
