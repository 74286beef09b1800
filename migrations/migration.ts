import type { Knex } from 'knex';

/** One step of the schema. A released one is never edited: what it made stands in databases. */
export interface Migration {
  /** `NNNN-what`, the name of its file. Remembered in the database. */
  readonly name: string;
  up(transaction: Knex.Transaction): Promise<void>;
  /** Undoes `up`, with the data that only it had room for. */
  down(transaction: Knex.Transaction): Promise<void>;
}
