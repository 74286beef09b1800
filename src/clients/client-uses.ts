import { LRUCache } from 'lru-cache';
import type { Clock, EpochSeconds } from '../core/clock.ts';
import type { SelfRegistrations } from './self-registration.ts';

/** Which of the clients that registered themselves are in use: those that are not expire. */
export interface ClientUses {
  /** A client was given a token. Memory alone. */
  note(clientId: string): void;
  /** Tells the database what was noted since. @throws StorageUnavailable: it is told the next time. */
  write(): Promise<void>;
}

const DAY = 86_400;
const MOST_REMEMBERED = 100_000;
const MOST_WRITTEN = 500;

/** @param rooms.unusedSeconds how long a client is kept after its last use. */
export function clientUses(rooms: {
  readonly selfRegistrations: Pick<SelfRegistrations, 'keepUntil'>;
  readonly unusedSeconds: number;
  readonly clock: Clock;
}): ClientUses {
  const { selfRegistrations, unusedSeconds, clock } = rooms;
  const written = new LRUCache<string, EpochSeconds>({ max: MOST_REMEMBERED });
  const waiting = new Set<string>();

  return {
    note(clientId) {
      // Once a day is enough, for the date is a day further than it need be.
      if (clock.now() - (written.get(clientId) ?? Number.NEGATIVE_INFINITY) >= DAY && waiting.size < MOST_REMEMBERED) {
        waiting.add(clientId);
      }
    },
    async write() {
      while (waiting.size > 0) {
        const now = clock.now();
        const batch = [...waiting].slice(0, MOST_WRITTEN);
        await selfRegistrations.keepUntil(batch, now + unusedSeconds + DAY);
        for (const clientId of batch) {
          waiting.delete(clientId);
          written.set(clientId, now);
        }
      }
    },
  };
}
