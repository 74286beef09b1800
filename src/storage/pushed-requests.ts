import type { PushedRequests } from '../authorization/pushed-requests.ts';
import { parametersOf } from '../core/parameters.ts';
import type { Database } from './database.ts';

interface PushedRequestRow {
  readonly id: string;
  readonly client_id: string;
  readonly parameters: string;
  readonly signed: number;
  readonly expires_at: number;
}

/** Pushed authorization requests, in the database. */
export function pushedRequestsIn(database: Database): PushedRequests {
  return {
    async create({ id, clientId, parameters, isSigned, expiresAt }) {
      await database.rows('INSERT INTO pushed_requests (id, client_id, parameters, signed, expires_at) VALUES (?, ?, ?, ?, ?)', [
        id,
        clientId,
        JSON.stringify(parameters.entries),
        isSigned ? 1 : 0,
        expiresAt,
      ]);
    },
    async findUnused(id) {
      const [row] = await database.rows<PushedRequestRow>(
        'SELECT id, client_id, parameters, signed, expires_at FROM pushed_requests WHERE id = ? AND used_at IS NULL',
        [id],
      );
      return row === undefined
        ? undefined
        : {
            id: row.id,
            clientId: row.client_id,
            parameters: parametersOf(JSON.parse(row.parameters) as [string, string][]),
            isSigned: row.signed === 1,
            expiresAt: row.expires_at,
          };
    },
    async use(id, now) {
      const used = await database.rows('UPDATE pushed_requests SET used_at = ? WHERE id = ? AND used_at IS NULL RETURNING id', [now, id]);
      return used.length > 0;
    },
  };
}
