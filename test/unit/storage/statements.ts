import { type Database, rowsOf } from '../../../src/storage/database.ts';

/** A statement as the driver was given it. */
export interface Statement {
  readonly sql: string;
  readonly bindings: readonly (string | number)[];
}

/** What a database was asked since `recorded` was called. */
export interface RecordedStatements {
  readonly all: readonly Statement[];
  /** Those that name the table. */
  about(table: string): readonly Statement[];
  deletionsOf(table: string): number;
}

/** Begins to write down each statement of a database, whoever asks. */
export async function recorded(database: Database): Promise<RecordedStatements> {
  const all: Statement[] = [];
  await database.run(async (knex) => {
    knex.on('query', ({ sql, bindings }: Statement) => all.push({ sql, bindings: bindings ?? [] }));
  });
  return {
    all,
    about: (table) => all.filter(({ sql }) => new RegExp(`\\b${table}\\b`).test(sql)),
    deletionsOf: (table) => all.filter(({ sql }) => new RegExp(`^delete from .?${table}\\b`, 'i').test(sql)).length,
  };
}

/** How the database would go about a statement, a step a line. */
export async function planOf(database: Database, { sql, bindings }: Statement): Promise<string> {
  // Given as the driver was given it: the question marks are numbered already.
  const text = `${database.kind === 'sqlite' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'} ${sql.replace(/\$\d+/g, '?')}`;
  const rows = await database.run(async (knex) => rowsOf<Readonly<Record<string, string>>>(await knex.raw(text, [...bindings])));
  return rows.map((row) => row['detail'] ?? row['QUERY PLAN'] ?? '').join('\n');
}
