import type { Knex } from 'knex';
import type { ClientRecord, ClientStore } from '../clients/client-store.ts';
import type { Database } from './database.ts';
import { moveRevision } from './revisions.ts';

/** The records of clients in the database. */
export function clientsIn(database: Database): ClientStore {
  return {
    async find(id) {
      const [row] = await database.rows<ClientRow>('SELECT * FROM clients WHERE id = ?', [id]);
      return row && recordOf(row);
    },
    async list({ after, limit }) {
      const rows = await database.run((knex) => {
        const query = knex<ClientRow>('clients').orderBy('id').limit(limit).select<ClientRow[]>('*');
        return after === undefined ? query : query.where('id', '>', after);
      });
      return rows.map(recordOf);
    },
    create: (record) =>
      database.transaction(async (transaction) => {
        const created = await transaction<ClientRow>('clients').insert(rowOf(record)).onConflict('id').ignore().returning('id');
        return counted(created.length, () => moveRevision(transaction, 'clients'));
      }),
    replace: (record) =>
      database.transaction(async (transaction) => {
        const { id, version, created_at: _, ...changes } = rowOf(record);
        const replaced = await transaction<ClientRow>('clients')
          .where({ id, version })
          .update({ ...changes, version: version + 1 });
        return counted(replaced, () => moveRevision(transaction, 'clients'));
      }),
    delete: (id) =>
      database.transaction(async (transaction) => {
        await revokeLongExpired(transaction, id);
        // Grants and consents go with it, by their foreign keys.
        const deleted = await transaction<ClientRow>('clients').where({ id }).delete();
        return counted(deleted, async () => {
          // These have no foreign key: of a client that describes itself they are there before it is.
          await transaction('pushed_requests').where({ client_id: id }).delete();
          await moveRevision(transaction, 'clients');
        });
      }),
  };
}

/** A client as its table has it. */
export interface ClientRow {
  readonly id: string;
  readonly metadata: string;
  readonly secrets: string;
  readonly version: number;
  readonly created_at: number;
  readonly updated_at: number;
  readonly document_fetched_at: number | null;
  readonly document_fresh_until: number | null;
  readonly registered_itself: string | null;
}

/** A record as a row. */
export function rowOf(record: ClientRecord): ClientRow {
  return {
    id: record.id,
    metadata: JSON.stringify(record.metadata),
    secrets: JSON.stringify(record.secrets),
    version: record.version,
    created_at: record.createdAt,
    updated_at: record.updatedAt,
    document_fetched_at: record.document?.fetchedAt ?? null,
    document_fresh_until: record.document?.freshUntil ?? null,
    registered_itself: record.registeredItself === undefined ? null : JSON.stringify(record.registeredItself),
  };
}

function recordOf(row: ClientRow): ClientRecord {
  return {
    id: row.id,
    metadata: JSON.parse(row.metadata),
    secrets: secretsOf(row.secrets),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
    version: row.version,
    ...documentOf(row),
    ...(row.registered_itself === null ? {} : { registeredItself: JSON.parse(row.registered_itself) }),
  };
}

function documentOf({ document_fetched_at: fetchedAt, document_fresh_until: freshUntil }: ClientRow): Pick<ClientRecord, 'document'> {
  return fetchedAt === null || freshUntil === null ? {} : { document: { fetchedAt, freshUntil } };
}

/** JSON has no undefined: a secret without an end has no such member. */
function secretsOf(text: string): ClientRecord['secrets'] {
  const secrets: { digest: string; sealed?: string; createdAt: number; expiresAt?: number }[] = JSON.parse(text);
  return secrets.map(({ expiresAt, ...secret }) => ({ ...secret, expiresAt }));
}

/**
 * The trigger that notes deleted grants in the status lists passes over those that expired more than a day ago, as cleaning up deletes them. With an
 * ACCESS_TOKEN_MAX_TTL of more than a day they may still have living tokens: the end of these is noted by revoking them first.
 */
async function revokeLongExpired(transaction: Knex.Transaction, clientId: string): Promise<void> {
  const now = transaction.client.dialect === 'postgresql' ? 'extract(epoch FROM clock_timestamp())::bigint' : 'unixepoch()';
  await transaction.raw(
    `UPDATE grants SET revoked_at = ${now}, revocation_reason = 'operator'
     WHERE client_id = ? AND revoked_at IS NULL AND expires_at <= ${now} - ${DAY_SECONDS - OVERLAP_SECONDS}`,
    [clientId],
  );
}

const DAY_SECONDS = 86_400;
// Time goes on between this statement and the deletion; one that is revoked is not noted again.
const OVERLAP_SECONDS = 60;

/** Whether a row was changed, with what follows if so. */
async function counted(rows: number, follow: () => Promise<void>): Promise<boolean> {
  if (rows === 0) {
    return false;
  }
  await follow();
  return true;
}
