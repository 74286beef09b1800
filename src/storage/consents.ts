import type { Consents } from '../interaction/consents.ts';
import type { Database } from './database.ts';
import { reportGoneParties } from './failures.ts';

/** What users have allowed clients, in the database: a row for each scope value. */
export function consentsIn(database: Database): Consents {
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
        const rows = scope.map((value) => ({ user_id: userId, client_id: clientId, scope_value: value, granted_at: now }));
        await reportGoneParties(() =>
          database.run((knex) => knex('consents').insert(rows).onConflict(['user_id', 'client_id', 'scope_value']).ignore()),
        );
      }
    },
  };
}
