import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { CountedRequest, RequestLimits } from '../limits/request-limits.ts';
import { TooManyFetches } from '../outbound/bounded-fetches.ts';
import type { Client } from './client.ts';
import type { ClientStore } from './client-store.ts';
import type { Clients } from './clients.ts';
import { isDocumentAddress, mayBeDocumentAddress } from './document-client-id.ts';
import type { DocumentClientStore } from './document-client-store.ts';
import { type DocumentEntry, documentEntries, within } from './document-entries.ts';
import type { DocumentFetcher, FetchedDocument } from './document-fetching.ts';
import { documentPause, documentRefusal } from './document-refusal.ts';
import type { SelfRegisteredPolicy } from './self-registered-policy.ts';

/** Clients, those among them that a document of their own describes. */
export interface DocumentClients extends Clients {
  /** Sees to it that records can refer to a client from now on. For those that an operator registered, nothing is to be done. */
  keep(id: string): undefined | Promise<void>;
}

/** A document that could not be had is left alone for so long. The error is not kept: who comes meanwhile is told to come again. */
const PAUSE_SECONDS = 5;
/** The same where nobody waits for it: tokens are refreshed with what is known. */
const QUIET_PAUSE_SECONDS = 60;
/** How long tokens are refreshed on an old document where there is no newer one. Nobody can allow the client anything new meanwhile. */
const STALE_SECONDS = 86_400;
/** How often it is written down that a client is in use: a record is cleaned up a day after the last time (storage/cleanup.ts). */
const KEPT_SECONDS = 3600;

/**
 * Adds the clients of draft-ietf-oauth-client-id-metadata-document to those registered. Whom an operator registered comes first, by whatever
 * name. A document is fetched for an authorization, and for nothing else that a stranger can ask: elsewhere a client is known if somebody has
 * allowed it something, or is being asked.
 * @param rooms.isAllowed FEATURES and CLIENT_ID_METADATA_HOSTS: whether a client may be where it is. Where it may not, its grants are no good.
 */
export function documentClients(rooms: {
  readonly registered: Clients;
  readonly store: Pick<ClientStore, 'find'>;
  readonly documents: DocumentClientStore;
  readonly fetch: DocumentFetcher;
  readonly policy: SelfRegisteredPolicy;
  readonly privateAddresses: boolean;
  readonly isAllowed: (address: string) => boolean;
  readonly limits: Pick<RequestLimits, 'document'>;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): DocumentClients {
  const { registered, documents, fetch, isAllowed, limits, clock, audit } = rooms;
  const entries = documentEntries(rooms);

  return {
    find: (id) => (mayBeDocumentAddress(id) && isDocumentAddress(id, rooms) ? known(id) : registered.find(id)),
    async current(id, asker) {
      if (!isDocumentAddress(id, rooms)) {
        return registered.find(id);
      }
      const entry = await entries.get(id);
      if (entry.registered !== undefined || !isAllowed(id)) {
        return entry.registered;
      }
      if (!entries.isFresh(entry)) {
        await renewed(id, entry, asker);
      }
      return entry.known?.client;
    },
    forget() {
      entries.forget();
      registered.forget();
    },
    keep: (id) => (isDocumentAddress(id, rooms) ? kept(id) : undefined),
  };

  /** For those who have something of the client already: what is known of it will do for a while. */
  async function known(id: string): Promise<Client | undefined> {
    const entry = await entries.get(id);
    if (entry.registered !== undefined || !isAllowed(id)) {
      return entry.registered;
    }
    if (entry.known === undefined || entries.isFresh(entry)) {
      return entry.known?.client;
    }
    if (!entry.isStored) {
      return undefined;
    }
    const renewing = hasFailedWithin(entry, QUIET_PAUSE_SECONDS) ? undefined : load(id, entry).catch(passOver);
    if (clock.now() < entry.known.record.document.freshUntil + STALE_SECONDS) {
      return entry.known.client;
    }
    await renewing;
    return entries.isFresh(entry) ? entry.known.client : undefined;
  }

  /** @throws InvalidRequest, TooManyRequests or TemporarilyUnavailable when there is no document of today. */
  async function renewed(id: string, entry: DocumentEntry, asker: CountedRequest | undefined): Promise<void> {
    if (entry.running === undefined) {
      if (hasFailedWithin(entry, PAUSE_SECONDS)) {
        throw documentPause(PAUSE_SECONDS);
      }
      if (asker !== undefined) {
        limits.document(asker);
      }
    }
    try {
      await load(id, entry);
    } catch (error) {
      throw documentRefusal(error) ?? error;
    }
  }

  /** One request at a time for a document: whoever comes meanwhile waits for the same. */
  function load(id: string, entry: DocumentEntry): Promise<void> {
    entry.running ??= fetched(id, entry).finally(() => {
      entry.running = undefined;
    });
    return entry.running;
  }

  async function fetched(id: string, entry: DocumentEntry): Promise<void> {
    try {
      takeIn(id, entry, await fetch(id));
    } catch (error) {
      // Too much under way is not the document's fault.
      if (!(error instanceof TooManyFetches)) {
        entry.failedAt = clock.now();
      }
      audit.record('client_document_refused', { clientId: id, reason: error instanceof Error ? error.message : String(error) });
      throw error;
    }
    if (entry.isStored && entry.known !== undefined) {
      await documents.renew(entry.known.record);
    }
  }

  function takeIn(id: string, entry: DocumentEntry, { metadata, dates }: FetchedDocument): void {
    const before = entry.known?.record;
    const isSame = before !== undefined && JSON.stringify(before.metadata) === JSON.stringify(metadata);
    entries.take(entry, {
      id,
      metadata,
      secrets: [],
      createdAt: before?.createdAt ?? dates.fetchedAt,
      updatedAt: isSame ? before.updatedAt : dates.fetchedAt,
      version: (before?.version ?? 0) + (isSame ? 0 : 1),
      document: dates,
    });
    entry.failedAt = undefined;
  }

  async function kept(id: string): Promise<void> {
    const entry = await entries.get(id);
    const now = clock.now();
    const isKept = entry.isStored && within(now, entry.keptAt, KEPT_SECONDS);
    if (entry.known === undefined || entry.registered !== undefined || isKept) {
      return;
    }
    await documents.keep(entry.known.record, now);
    entry.isStored = true;
    entry.keptAt = now;
  }

  function hasFailedWithin({ failedAt }: DocumentEntry, seconds: number): boolean {
    return failedAt !== undefined && within(clock.now(), failedAt, seconds);
  }
}

/** Why, the audit trail has been told. */
function passOver(): void {
  return undefined;
}
