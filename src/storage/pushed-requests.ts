import type { PushedRequests } from '../authorization/pushed-requests.ts';
import { parametersOf } from '../core/parameters.ts';
import { batchInput } from './batch-input.ts';
import type { Database } from './database.ts';

interface PushedRequestRow {
  readonly id: string;
  readonly client_id: string;
  readonly parameters: string;
  readonly signed: number;
  readonly expires_at: number;
  readonly keep_until: number;
}

const COLUMNS = [
  ['id', 'text'],
  ['client_id', 'text'],
  ['parameters', 'text'],
  ['signed', 'integer'],
  ['expires_at', 'bigint'],
] as const;

/** Pushed authorization requests, in the database. */
export function pushedRequestsIn(database: Database): PushedRequests {
  const input = batchInput(database.kind, COLUMNS);
  return {
    async create({ id, clientId, parameters, isSigned, expiresAt }, most, now) {
      const kept = await database.rows(
        `INSERT INTO pushed_requests (id, client_id, parameters, signed, expires_at, keep_until)
         SELECT id, client_id, parameters, signed, expires_at, expires_at FROM ${input.sql}
         WHERE (SELECT count(*) FROM pushed_requests AS kept WHERE kept.client_id = input.client_id AND kept.keep_until > ?) < ?
         RETURNING id`,
        [...input.bindings([[id, clientId, JSON.stringify(parameters.entries), isSigned ? 1 : 0, expiresAt]]), now, most],
      );
      return kept.length > 0;
    },
    async findUnused(id) {
      const [row] = await database.rows<PushedRequestRow>(
        'SELECT id, client_id, parameters, signed, expires_at, keep_until FROM pushed_requests WHERE id = ? AND used_at IS NULL',
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
            keptUntil: row.keep_until,
          };
    },
    async keep(id, until) {
      await database.rows('UPDATE pushed_requests SET keep_until = ? WHERE id = ? AND used_at IS NULL AND keep_until < ?', [
        until,
        id,
        until,
      ]);
    },
    async use(id, now) {
      // What is answered is looked for no more: a row that is gone is refused as one that was used is.
      const used = await database.rows(
        'UPDATE pushed_requests SET used_at = ?, keep_until = ? WHERE id = ? AND used_at IS NULL RETURNING id',
        [now, now, id],
      );
      return used.length > 0;
    },
  };
}
