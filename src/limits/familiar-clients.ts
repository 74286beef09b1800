import { LRUCache } from 'lru-cache';

/** From which addresses clients have proved themselves, so that the guesses of their neighbours do not bar them. */
export interface FamiliarClients {
  add(clientId: string, remoteAddress: string): void;
  has(clientId: string, remoteAddress: string): boolean;
}

const MOST_CLIENTS = 10_000;
const MOST_ADDRESSES = 64;

/** In memory, bounded. Only proofs that were right get in, so no stranger can push another client's addresses out. */
export function familiarClients(): FamiliarClients {
  const known = new LRUCache<string, Set<string>>({ max: MOST_CLIENTS });
  return {
    add(clientId, remoteAddress) {
      const addresses = known.get(clientId);
      if (addresses === undefined) {
        known.set(clientId, new Set([remoteAddress]));
      } else if (!addresses.has(remoteAddress)) {
        const [oldest] = addresses;
        if (addresses.size >= MOST_ADDRESSES && oldest !== undefined) {
          addresses.delete(oldest);
        }
        addresses.add(remoteAddress);
      }
    },
    has: (clientId, remoteAddress) => known.get(clientId)?.has(remoteAddress) === true,
  };
}
