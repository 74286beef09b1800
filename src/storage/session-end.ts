import type { Knex } from 'knex';
import type { ClientMetadata } from '../clients/client-metadata.ts';
import { parseScope } from '../core/scope.ts';
import { sessionEnd } from '../deliveries/session-end.ts';
import type { Change } from '../signals/changes.ts';
import { rowsOf } from './database.ts';
import { insertDeliveries } from './deliveries.ts';
import { recordRevokedSessions } from './security-events.ts';

/**
 * Ends sessions with all that follows for their clients, in the transaction: either everything has happened or nothing. Its first statement
 * is a write. @returns how many sessions ended.
 */
export async function endSessions(
  transaction: Knex.Transaction,
  which: { readonly id: string } | { readonly user_id: string },
  change: Change,
): Promise<number> {
  // Two who end the same session at once: only one of them is given it, and tells of it.
  const [column, value] = 'id' in which ? ['id', which.id] : ['user_id', which.user_id];
  const answer: unknown = await transaction.raw(`DELETE FROM sessions WHERE ${column} = ? RETURNING sid`, [value]);
  const ended = rowsOf<{ readonly sid: string }>(answer);
  const sids = ended.map(({ sid }) => sid);
  for (let from = 0; from < sids.length; from += SESSIONS_A_STATEMENT) {
    await endClientSessions(transaction, sids.slice(from, from + SESSIONS_A_STATEMENT), change);
  }
  return ended.length;
}

const SESSIONS_A_STATEMENT = 500;

async function endClientSessions(transaction: Knex.Transaction, sids: readonly string[], change: Change): Promise<void> {
  const now = change.at;
  const rows = await transaction('grants')
    .join('clients', 'clients.id', 'grants.client_id')
    .whereIn('grants.session_id', sids)
    .orderBy('grants.id')
    .select<GrantOfSessionRow[]>(
      'grants.id as id',
      'grants.client_id as client_id',
      'grants.user_id as user_id',
      'grants.session_id as session_id',
      'grants.scope as scope',
      'clients.metadata as metadata',
    );
  const { deliveries, endedGrants } = sessionEnd(
    rows.map((row) => ({
      id: row.id,
      clientId: row.client_id,
      userId: row.user_id,
      sessionId: row.session_id,
      scope: parseScope(row.scope),
      metadata: JSON.parse(row.metadata) as ClientMetadata,
    })),
    now,
  );
  await insertDeliveries(transaction, deliveries);
  const ended = rows.map((row) => ({ clientId: row.client_id, userId: row.user_id, sessionId: row.session_id }));
  await recordRevokedSessions(transaction, ended, change);
  if (endedGrants.length > 0) {
    await transaction('grants').whereIn('id', endedGrants).whereNull('revoked_at').update({ revoked_at: now, revocation_reason: 'logout' });
  }
}

interface GrantOfSessionRow {
  readonly id: string;
  readonly client_id: string;
  readonly user_id: string;
  readonly session_id: string;
  readonly scope: string;
  readonly metadata: string;
}
