import { LRUCache } from 'lru-cache';
import type { CountedRequest } from '../limits/request-limits.ts';
import type { Client } from './client.ts';
import { clientOf } from './client.ts';
import { isClientId } from './client-id.ts';
import type { ClientStore } from './client-store.ts';

/** The clients as requests see them: in memory, so that a token request reads no database to know its client. */
export interface Clients {
  find(id: string): Promise<Client | undefined>;
  /**
   * The client as it is now, for an authorization that begins or goes on: whoever describes itself is asked where what is known of it is old.
   * @param asker who is to answer for it, where it is not known yet that somebody counts as one.
   * @throws InvalidRequest, TooManyRequests or TemporarilyUnavailable when it should describe itself and does not.
   */
  current(id: string, asker?: CountedRequest): Promise<Client | undefined>;
  /** Drops what is in memory, names that nobody had included, because some process changed or made a client. */
  forget(): void;
}

const MOST_IN_MEMORY = 10_000;
// Of names that no client has: fewer, since a stranger can make up any number of them, and each at most this long.
const MOST_UNKNOWN = 5_000;
const UNKNOWN_FOR_MILLISECONDS = 5_000;

/** @param now milliseconds of a clock that is never set; for tests. */
export function cachedClients(store: Pick<ClientStore, 'find'>, now: () => number = () => performance.now()): Clients {
  const known = new LRUCache<string, Client>({ max: MOST_IN_MEMORY });
  const unknown = new LRUCache<string, true>({ max: MOST_UNKNOWN, ttl: UNKNOWN_FOR_MILLISECONDS, ttlResolution: 0, perf: { now } });
  // Counts calls of `forget`: a record read before one must not be kept after it.
  let age = 0;

  const clients: Clients = {
    current: (id) => clients.find(id),
    async find(id) {
      const inMemory = known.get(id);
      if (inMemory !== undefined) {
        return inMemory;
      }
      // What cannot be registered need not be looked for; PostgreSQL even refuses a question with a NUL in it.
      if (!isClientId(id) || unknown.has(id)) {
        return undefined;
      }
      const ageAtStart = age;
      const record = await store.find(id);
      // One that its document describes is known while the document is looked after (document-clients.ts), and not by itself.
      const client = record?.document === undefined ? record && clientOf(record) : undefined;
      if (age === ageAtStart) {
        if (client === undefined) {
          unknown.set(id, true);
        } else {
          known.set(id, client);
        }
      }
      return client;
    },
    forget() {
      age += 1;
      known.clear();
      unknown.clear();
    },
  };
  return clients;
}
