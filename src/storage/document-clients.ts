import type { DocumentClientRecord, DocumentClientStore } from '../clients/document-client-store.ts';
import { type Database, rowsOf } from './database.ts';
import { moveRevision } from './revisions.ts';

/** A newer document's metadata counts; a date moves only forward; a version is another one only where something changed. */
const NEWER = 'input.document_fetched_at > clients.document_fetched_at';
const CHANGED = `${NEWER} AND input.metadata <> clients.metadata`;
const CHANGES = `
  metadata = CASE WHEN ${NEWER} THEN input.metadata ELSE clients.metadata END,
  version = CASE WHEN ${CHANGED} THEN clients.version + 1 ELSE clients.version END,
  updated_at = CASE WHEN ${CHANGED} THEN input.document_fetched_at ELSE clients.updated_at END,
  document_fresh_until = CASE WHEN ${NEWER} THEN input.document_fresh_until ELSE clients.document_fresh_until END,
  document_fetched_at = CASE WHEN ${NEWER} THEN input.document_fetched_at ELSE clients.document_fetched_at END`;

/** Clients that their documents describe, in the table of all clients. */
export function documentClientsIn(database: Database): DocumentClientStore {
  // Text for text the same assignments, of the row that could not be inserted and of one that is given.
  const insertion = `
    INSERT INTO clients (id, metadata, secrets, version, created_at, updated_at, document_fetched_at, document_fresh_until, document_used_at)
    VALUES (?, ?, '[]', 1, ?, ?, ?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET ${CHANGES.replaceAll('input.', 'excluded.')}, document_used_at = excluded.document_used_at
    WHERE clients.document_fetched_at IS NOT NULL
    RETURNING created_at, version`;
  const types = database.kind === 'postgres' ? ['::text', '::bigint'] : ['', ''];
  const renewal = `
    UPDATE clients SET ${CHANGES} FROM (
      SELECT ?${types[0]} AS id, ?${types[0]} AS metadata, ?${types[1]} AS document_fetched_at, ?${types[1]} AS document_fresh_until
    ) AS input
    WHERE clients.id = input.id AND ${NEWER}`;

  return {
    keep: ({ id, metadata, document: { fetchedAt, freshUntil } }: DocumentClientRecord, now) =>
      database.transaction(async (transaction) => {
        const bindings = [id, JSON.stringify(metadata), now, now, fetchedAt, freshUntil, now];
        const answer: unknown = await transaction.raw(insertion, bindings);
        const [row] = rowsOf<{ created_at: number; version: number }>(answer);
        // One that was there before has an older date; of two that come in the same second the second moves it once more, which is no harm.
        if (row?.created_at === now && row.version === 1) {
          await moveRevision(transaction, 'clients');
        }
      }),
    async renew({ id, metadata, document: { fetchedAt, freshUntil } }) {
      await database.rows(renewal, [id, JSON.stringify(metadata), fetchedAt, freshUntil]);
    },
  };
}
