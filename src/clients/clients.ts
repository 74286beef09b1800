import { LRUCache } from 'lru-cache';
import type { Client } from './client.ts';
import { clientOf } from './client.ts';
import type { ClientStore } from './client-store.ts';

/** The clients as requests see them: in memory, so that a token request reads no database to know its client. */
export interface Clients {
  find(id: string): Promise<Client | undefined>;
  /** Drops what is in memory, because some process changed a client. */
  forget(): void;
}

const MOST_IN_MEMORY = 10_000;

export function cachedClients(store: ClientStore): Clients {
  const known = new LRUCache<string, Client>({ max: MOST_IN_MEMORY });
  // Counts calls of `forget`: a record read before one must not be kept after it.
  let age = 0;

  return {
    async find(id) {
      if (id.includes('\0')) {
        // No client is called that, and PostgreSQL refuses the question.
        return undefined;
      }
      const inMemory = known.get(id);
      if (inMemory !== undefined) {
        return inMemory;
      }
      const ageAtStart = age;
      const record = await store.find(id);
      if (record === undefined) {
        return undefined;
      }
      const client = clientOf(record);
      if (age === ageAtStart) {
        known.set(id, client);
      }
      return client;
    },
    forget() {
      age += 1;
      known.clear();
    },
  };
}
