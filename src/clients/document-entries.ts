import { LRUCache } from 'lru-cache';
import type { Clock, EpochSeconds } from '../core/clock.ts';
import { type Client, clientOf } from './client.ts';
import type { ClientRecord, ClientStore } from './client-store.ts';
import type { DocumentClientRecord } from './document-client-store.ts';
import { type SelfRegisteredPolicy, underPolicy } from './self-registered-policy.ts';

/** What this process knows of one name that may be the address of a document. */
export interface DocumentEntry {
  /** An operator registered a client by this name: nothing else counts. */
  registered: Client | undefined;
  /** What the document said last. */
  known: { readonly record: DocumentClientRecord; readonly client: Client } | undefined;
  isStored: boolean;
  /** When this process last said that the client is in use. */
  keptAt: EpochSeconds;
  /** When the document could not be had; undefined: the last time it could. */
  failedAt: EpochSeconds | undefined;
  /** A fetch that is under way. */
  running: Promise<void> | undefined;
  /** When the records were looked at, and after how many changes of theirs. */
  lookedAt: EpochSeconds;
  age: number;
}

/** What this process knows of clients that their documents describe: from the records, and from their documents. */
export interface DocumentEntries {
  /** @throws StorageUnavailable */
  get(id: string): Promise<DocumentEntry>;
  /** Whether what is known counts without another look at the document. */
  isFresh(entry: DocumentEntry): boolean;
  /** Takes a newer document in, as far as the operator lets it count. */
  take(entry: DocumentEntry, record: DocumentClientRecord): void;
  /** Has the records looked at again: somebody changed them. */
  forget(): void;
}

const MOST_IN_MEMORY = 5000;
/** A name that no client has is looked for again that soon: another process may have stored it. */
const UNKNOWN_SECONDS = 5;
// A document that was fetched later than that is one of a clock that was set back since.
const CLOCKS_APART_SECONDS = 60;

export function documentEntries(rooms: {
  readonly store: Pick<ClientStore, 'find'>;
  readonly policy: SelfRegisteredPolicy;
  readonly clock: Clock;
}): DocumentEntries {
  const { store, policy, clock } = rooms;
  const entries = new LRUCache<string, DocumentEntry>({ max: MOST_IN_MEMORY });
  // Counts calls of `forget`: what was read of the records before one is read again.
  let age = 0;

  const self: DocumentEntries = {
    async get(id) {
      const entry = entries.get(id) ?? newEntry();
      // At once, so that whoever comes meanwhile has the same one.
      entries.set(id, entry);
      if (entry.age !== age || (isUnknown(entry) && !within(clock.now(), entry.lookedAt, UNKNOWN_SECONDS))) {
        await look(id, entry);
      }
      return entry;
    },
    isFresh({ known }) {
      const now = clock.now();
      return known !== undefined && now < known.record.document.freshUntil && now + CLOCKS_APART_SECONDS >= known.record.document.fetchedAt;
    },
    take(entry, record) {
      const metadata = underPolicy(record.metadata, policy);
      // Other settings than when it was stored: grants are held against what is left.
      const isChanged = JSON.stringify(metadata) !== JSON.stringify(record.metadata);
      const governed = isChanged ? { ...record, metadata, version: record.version + 1, updatedAt: clock.now() } : record;
      entry.known = { record: governed, client: clientOf(governed) };
    },
    forget() {
      age += 1;
    },
  };
  return self;

  async function look(id: string, entry: DocumentEntry): Promise<void> {
    const ageAtStart = age;
    const record = await store.find(id);
    entry.age = ageAtStart;
    entry.lookedAt = clock.now();
    entry.isStored = record !== undefined;
    entry.keptAt = Number.NEGATIVE_INFINITY;
    entry.registered = record === undefined || isDescribed(record) ? undefined : clientOf(record);
    if (record !== undefined && isDescribed(record) && !isOlder(record, entry)) {
      self.take(entry, record);
    }
  }

  function isUnknown(entry: DocumentEntry): boolean {
    return entry.registered === undefined && !entry.isStored && !self.isFresh(entry);
  }
}

/** False also before `from`: a clock that was set back must not keep anything for as long. */
export function within(now: EpochSeconds, from: EpochSeconds, seconds: number): boolean {
  return now >= from && now < from + seconds;
}

function newEntry(): DocumentEntry {
  return {
    registered: undefined,
    known: undefined,
    isStored: false,
    keptAt: Number.NEGATIVE_INFINITY,
    failedAt: undefined,
    running: undefined,
    lookedAt: 0,
    age: -1,
  };
}

function isDescribed(record: ClientRecord): record is DocumentClientRecord {
  return record.document !== undefined;
}

function isOlder({ document }: DocumentClientRecord, { known }: DocumentEntry): boolean {
  return known !== undefined && document.fetchedAt < known.record.document.fetchedAt;
}
