import type { Knex } from 'knex';
import type { DatabaseLocation } from '../config/config.ts';
import { reportOutages } from './failures.ts';

/** What a `?` of a statement may stand for. A list is a PostgreSQL array. */
export type Binding = string | number | null | readonly (string | number | null)[];

/** What a driver's own file provides. */
export interface Connections {
  readonly kind: DatabaseLocation['kind'];
  readonly knex: Knex;
  /** One SQL statement. @returns the rows it selects or returns. */
  rows<Row>(sql: string, bindings: readonly Binding[]): Promise<readonly Row[]>;
  /** Runs work that may take minutes, such as a migration, without the limits of the request path. */
  patiently<T>(work: (knex: Knex) => Promise<T>): Promise<T>;
  /** @throws StorageUnavailable when what is open is no longer what the location names. */
  verifyLocation(): Promise<void>;
  /** The last thing done before the connections close. May fail without harm. */
  settle(): Promise<void>;
}

/**
 * An open database. Every way to it reports outages as `StorageUnavailable`; a repository has no other.
 * SQLite has one connection: inside `transaction` only the transaction's own handle may be used, or the work waits for itself.
 */
export interface Database {
  readonly kind: DatabaseLocation['kind'];
  run<T>(work: (knex: Knex) => PromiseLike<T>): Promise<T>;
  /** One SQL statement with `?` for the bindings. @returns the rows it selects or returns; a whole number is a number on both databases. */
  rows<Row = unknown>(sql: string, bindings: readonly Binding[]): Promise<readonly Row[]>;
  /** Commits when `work` resolves. Its first statement must be a write: SQLite cannot always turn a reader into a writer. */
  transaction<T>(work: (transaction: Knex.Transaction) => Promise<T>): Promise<T>;
  patiently<T>(work: (knex: Knex) => Promise<T>): Promise<T>;
  verifyLocation(): Promise<void>;
  /** Registers what must be written before the database closes. */
  beforeClose(flush: () => Promise<void>): void;
  /** Idempotent. Resolves when all that was accepted is written and the connections are closed. */
  close(): Promise<void>;
}

/** The database on these connections. */
export function databaseOn(connections: Connections): Database {
  const { kind, knex } = connections;
  const flushes: (() => Promise<void>)[] = [];
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    await Promise.all(flushes.map((flush) => flush()));
    await connections.settle().catch(() => undefined);
    await knex.destroy();
  }

  return {
    kind,
    run: (work) => reportOutages(() => work(knex)),
    rows: (sql, bindings) => reportOutages(() => connections.rows(sql, bindings)),
    transaction: (work) => reportOutages(() => knex.transaction(work)),
    patiently: (work) => reportOutages(() => connections.patiently(work)),
    verifyLocation: () => connections.verifyLocation(),
    beforeClose: (flush) => void flushes.push(flush),
    close: () => (closing ??= close()),
  };
}

/** The rows of a raw statement's answer: sqlite3 answers a list, pg an object that has one. */
export function rowsOf<Row>(answer: unknown): readonly Row[] {
  return Array.isArray(answer) ? answer : (answer as { readonly rows: readonly Row[] }).rows;
}
