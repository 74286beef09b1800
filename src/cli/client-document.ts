import type { ClientRecord } from '../clients/client-store.ts';
import { type EpochSeconds, writeDate } from '../core/clock.ts';
import { fields } from './layout.ts';

/** Members of the document that say something of the client and are not metadata: `client update` takes them back without a word. */
export const INFORMATION = [
  'client_id_issued_at',
  'client_updated_at',
  'client_secrets',
  'client_secret_expires_at',
  'client_document_fetched_at',
  'registered_itself',
] as const;

/** A client as it is shown: RFC 7591 section 3.2.1, and what is known of its live secrets; never a secret, nor the digest of one. */
export function clientDocument(
  { id, metadata, secrets, createdAt, updatedAt, document, registeredItself }: ClientRecord,
  now: EpochSeconds,
): Readonly<Record<string, unknown>> {
  const live = secrets.filter(({ expiresAt }) => expiresAt === undefined || now < expiresAt);
  return {
    client_id: id,
    client_id_issued_at: createdAt,
    client_updated_at: updatedAt,
    // Its client_id is where its document is.
    ...(document === undefined ? {} : { client_document_fetched_at: document.fetchedAt }),
    ...metadata,
    ...(registeredItself === undefined ? {} : { registered_itself: registeredItself }),
    client_secrets: live.map((secret) => ({ created_at: secret.createdAt, expires_at: secret.expiresAt })),
  };
}

/** The same for people. */
export function clientText(record: ClientRecord, now: EpochSeconds): string {
  const live = record.secrets.filter(({ expiresAt }) => expiresAt === undefined || now < expiresAt);
  const dates = live.map(
    ({ createdAt, expiresAt }) => `since ${writeDate(createdAt)}${expiresAt ? `, until ${writeDate(expiresAt)}` : ''}`,
  );
  return fields({ ...clientDocument(record, now), client_secrets: dates });
}
