import type { Database } from './database.ts';

/** The columns of a table that a statement is given, with their SQL types. */
export type InputColumns = readonly (readonly [name: string, type: 'text' | 'integer' | 'bigint'])[];

type Value = string | number | null;

/** A table of values as the FROM item of a statement: any number of rows, one statement text, so that a batch is one call of the driver. */
export interface BatchInput {
  /** A FROM item with the name `input`. */
  readonly sql: string;
  bindings(rows: readonly (readonly Value[])[]): readonly (Value | readonly Value[])[];
}

/** JSON that is read as a table on SQLite, an array for each column on PostgreSQL. */
export function batchInput(kind: Database['kind'], columns: InputColumns): BatchInput {
  switch (kind) {
    case 'sqlite': {
      const members = columns.map(([name], index) => `value ->> ${index} AS ${name}`);
      return { sql: `(SELECT ${members.join(', ')} FROM json_each(?)) AS input`, bindings: (rows) => [JSON.stringify(rows)] };
    }
    case 'postgres': {
      const arrays = columns.map(([, type]) => `?::${type}[]`);
      const names = columns.map(([name]) => name);
      return {
        sql: `unnest(${arrays.join(', ')}) AS input (${names.join(', ')})`,
        bindings: (rows) => columns.map((_, index) => rows.map((row) => row[index] ?? null)),
      };
    }
    default:
      return kind satisfies never;
  }
}
