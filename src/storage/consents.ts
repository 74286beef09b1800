import type { Consents } from '../interaction/consents.ts';
import { batchInput } from './batch-input.ts';
import type { Database } from './database.ts';
import { reportGoneParties } from './failures.ts';

const COLUMNS = [
  ['user_id', 'text'],
  ['client_id', 'text'],
  ['scope_value', 'text'],
  ['granted_at', 'bigint'],
] as const;

/** What users have allowed clients, in the database: a row for each scope value. */
export function consentsIn(database: Database): Consents {
  const input = batchInput(database.kind, COLUMNS);
  const names = COLUMNS.map(([name]) => name).join(', ');
  // WHERE true: without it SQLite reads the ON of ON CONFLICT as the ON of a join.
  const statement = `INSERT INTO consents (${names}) SELECT ${names} FROM ${input.sql} WHERE true ON CONFLICT (user_id, client_id, scope_value) DO NOTHING`;

  return {
    async find(userId, clientId) {
      const rows = await database.rows<{ scope_value: string }>(
        'SELECT scope_value FROM consents WHERE user_id = ? AND client_id = ? ORDER BY granted_at, scope_value',
        [userId, clientId],
      );
      return rows.map(({ scope_value }) => scope_value);
    },
    async remember(userId, clientId, scope, now) {
      if (scope.length > 0) {
        const rows = scope.map((value) => [userId, clientId, value, now]);
        await reportGoneParties(() => database.rows(statement, input.bindings(rows)));
      }
    },
  };
}
