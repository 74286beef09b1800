import type { SharedRates } from '../limits/shared-rates.ts';
import { batchInput } from './batch-input.ts';
import type { Database } from './database.ts';

const MICROSECONDS = 1e6;

const COLUMNS = [
  ['key', 'text'],
  ['taken', 'bigint'],
] as const;

/** What was taken of the limits, in the database. */
export function sharedRatesIn(database: Database): SharedRates {
  const input = batchInput(database.kind, COLUMNS);
  // WHERE true: without it SQLite reads the ON of ON CONFLICT as the ON of a join. `excluded.spent_until - ?` is what is added.
  const statement = `INSERT INTO rate_limits (key, spent_until) SELECT key, taken + ? FROM ${input.sql} WHERE true
    ON CONFLICT (key) DO UPDATE SET spent_until =
      CASE WHEN rate_limits.spent_until > ? THEN rate_limits.spent_until + excluded.spent_until - ? ELSE excluded.spent_until END
    RETURNING key, spent_until`;

  return {
    async add(uses, now) {
      const at = now * MICROSECONDS;
      // In one order on every node, so that none waits for another in a circle.
      const ordered = uses.toSorted((one, other) => (one.key < other.key ? -1 : 1));
      const taken = ordered.map(({ key, seconds }) => [key, Math.round(seconds * MICROSECONDS)]);
      const rows = await database.rows<{ key: string; spent_until: number }>(statement, [at, ...input.bindings(taken), at, at]);
      return rows.map(({ key, spent_until }) => ({ key, until: spent_until / MICROSECONDS }));
    },
  };
}
