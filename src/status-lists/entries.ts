import type { EpochSeconds } from '../core/clock.ts';

/**
 * An entry is a place that one token or grant has in the status lists. Entries are numbered, and numbers are never given twice: list 0 has
 * the first `LIST_ENTRIES` of them, list 1 the next. Lists with even numbers are for grants, odd ones for tokens without a grant: grants
 * live for months and such tokens for minutes, so their lists can go at different times.
 */
export type StatusEntry = number;

/** Bounds the size of a list: 128 KiB before compression. Fixed for good: what an entry means rests on it, in the database too. */
export const LIST_ENTRIES = 1_048_576;

/** What an entry is given to. */
export type EntrySeries = 'grants' | 'clients';

export function listOf(entry: StatusEntry): number {
  return Math.floor(entry / LIST_ENTRIES);
}

/** The place within the list: 0 up to `LIST_ENTRIES`. Not the index that is published, which `indexPermutation` makes of it. */
export function placeOf(entry: StatusEntry): number {
  return entry % LIST_ENTRIES;
}

/** The entry with the number `count` of a series. */
export function entryAt(series: EntrySeries, count: number): StatusEntry {
  const list = 2 * Math.floor(count / LIST_ENTRIES) + (series === 'grants' ? 0 : 1);
  return list * LIST_ENTRIES + (count % LIST_ENTRIES);
}

/** Entries that were reserved for one node, all in one list. */
export interface EntryBlock {
  readonly first: StatusEntry;
  readonly count: number;
}

/** A spare entry that was given to a token of a client. */
export interface Assignment {
  readonly entry: StatusEntry;
  readonly clientId: string;
  /** When no token with it can be alive any more. */
  readonly expiresAt: EpochSeconds;
}

/** The entries that are given out, in the records. */
export interface StatusEntries {
  /** An entry for a grant. Nearly always from a block that this process holds already: one statement serves some hundreds. */
  next(): StatusEntry | Promise<StatusEntry>;
  /**
   * Reserves entries for tokens of a client: of any number of calls on any number of nodes, and whoever is killed, each gets others.
   * Deleting the client revokes them. @param expiresAt when no token with one of them can be alive any more.
   * @throws StorageUnavailable also when the client is gone.
   */
  reserve(clientId: string, count: number, expiresAt: EpochSeconds): Promise<EntryBlock>;
  /** The same for nobody yet. Whoever gives one out says so afterwards, by `assign`. */
  reserveSpare(count: number): Promise<EntryBlock>;
  /** Says whose tokens have got which spare entries; one of a client that is gone by now is revoked. May be repeated. */
  assign(assignments: readonly Assignment[], now: EpochSeconds): Promise<void>;
  /** The numbers of all lists with an entry that a living token may carry, as far as grants and reservations tell. */
  listsInUse(now: EpochSeconds): Promise<readonly number[]>;
}
