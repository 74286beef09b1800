import { LRUCache } from 'lru-cache';
import type { Clock, EpochSeconds } from '../core/clock.ts';
import type { JsonDocument } from './json-document.ts';

/** Documents of clients by their addresses, in memory. Each process has its own. */
export interface CachedDocuments<T> {
  /**
   * The document: the one in memory while it is fresh. One that cannot be fetched again is used for an hour after it was fetched.
   * @throws OutboundFailure (or what `read` throws) when there is none; asking again within the next seconds gives the same answer unasked.
   */
  get(url: string): Promise<T>;
  /**
   * A newer document than `seen`, for which something was looked up in vain. The address is asked no more often than every 30 s, whoever
   * asks for whatever.
   * @returns undefined when there is none, or it is not yet time to ask.
   */
  newerThan(seen: T, url: string): Promise<T | undefined>;
}

const MOST_DOCUMENTS = 1000;
/** Least time from one request to the next, after a success as after a failure. */
const PAUSE_SECONDS = 30;
const FRESH_AT_LEAST_SECONDS = 60;
const FRESH_BY_DEFAULT_SECONDS = 300;
const OLDEST_SECONDS = 3600;

/** @param read makes of the document what is kept; throws when it is not one. */
export function cachedDocuments<T>(rooms: {
  readonly fetch: (url: string) => Promise<JsonDocument>;
  readonly read: (value: unknown) => T;
  readonly clock: Clock;
}): CachedDocuments<T> {
  const { fetch, read, clock } = rooms;
  const entries = new LRUCache<string, Entry<T>>({ max: MOST_DOCUMENTS });

  function entryOf(url: string): Entry<T> {
    const known = entries.get(url);
    if (known !== undefined) {
      return known;
    }
    const made: Entry<T> = { held: undefined, failure: undefined, askedAt: undefined, running: undefined };
    entries.set(url, made);
    return made;
  }

  /** One request at a time for an address: whoever comes meanwhile waits for the same answer. */
  function ask(url: string, entry: Entry<T>): Promise<void> {
    entry.running ??= load(url, entry).finally(() => {
      entry.running = undefined;
    });
    return entry.running;
  }

  async function load(url: string, entry: Entry<T>): Promise<void> {
    entry.askedAt = clock.now();
    try {
      const { value, maxAgeSeconds = FRESH_BY_DEFAULT_SECONDS } = await fetch(url);
      const fetchedAt = clock.now();
      const freshSeconds = Math.min(Math.max(maxAgeSeconds, FRESH_AT_LEAST_SECONDS), OLDEST_SECONDS);
      entry.held = { value: read(value), fetchedAt, freshSeconds };
      entry.failure = undefined;
    } catch (error) {
      entry.failure = { error };
    }
  }

  return {
    async get(url) {
      const entry = entryOf(url);
      const { held } = entry;
      if (held !== undefined && within(clock.now(), held.fetchedAt, held.freshSeconds)) {
        return held.value;
      }
      if (entry.running !== undefined || entry.failure === undefined || !wasAskedJustNow(entry, clock.now())) {
        await ask(url, entry);
      }
      return usable(entry, clock.now());
    },
    async newerThan(seen, url) {
      const entry = entryOf(url);
      if (entry.running !== undefined || !wasAskedJustNow(entry, clock.now())) {
        await ask(url, entry);
      }
      return entry.held === undefined || entry.held.value === seen ? undefined : entry.held.value;
    },
  };
}

interface Entry<T> {
  held: { readonly value: T; readonly fetchedAt: EpochSeconds; readonly freshSeconds: number } | undefined;
  /** Why the last request came to nothing. */
  failure: { readonly error: unknown } | undefined;
  askedAt: EpochSeconds | undefined;
  running: Promise<void> | undefined;
}

function usable<T>({ held, failure }: Entry<T>, now: EpochSeconds): T {
  if (held !== undefined && (failure === undefined || within(now, held.fetchedAt, OLDEST_SECONDS))) {
    return held.value;
  }
  throw failure?.error;
}

function wasAskedJustNow<T>({ askedAt }: Entry<T>, now: EpochSeconds): boolean {
  return askedAt !== undefined && within(now, askedAt, PAUSE_SECONDS);
}

/** False also before `from`: a clock that was set back must not keep anything for as long. */
function within(now: EpochSeconds, from: EpochSeconds, seconds: number): boolean {
  return now >= from && now < from + seconds;
}
