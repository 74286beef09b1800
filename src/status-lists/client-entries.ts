import { LRUCache } from 'lru-cache';
import type { EpochSeconds } from '../core/clock.ts';
import type { Assignment, EntryBlock, StatusEntries, StatusEntry } from './entries.ts';

/** Entries for tokens that have no grant, one for each token. */
export interface ClientEntries {
  /**
   * Nearly always from memory: blocks are reserved for a client ahead of its need, in a size that follows its rate. Until its first block
   * is there, and while the database is away, a client is given spare entries, and that they are its own is written down afterwards.
   * @throws StorageUnavailable (as a rejection) when a block has to be waited for and cannot be had.
   */
  take(clientId: string, now: EpochSeconds): StatusEntry | Promise<StatusEntry>;
  /** Writes down what has to be, and fetches spare entries. At the start, and every second or so. @throws StorageUnavailable */
  upkeep(now: EpochSeconds): Promise<void>;
}

export function clientEntries(rooms: {
  readonly entries: Pick<StatusEntries, 'reserve' | 'reserveSpare' | 'assign'>;
  /** ACCESS_TOKEN_MAX_TTL. */
  readonly longestTokenSeconds: number;
}): ClientEntries {
  const { entries, longestTokenSeconds } = rooms;
  const clients = new LRUCache<string, Stock>({ max: MOST_CLIENTS });
  const spare: StatusEntry[] = [];
  const assignments: Assignment[] = [];
  let working: Promise<void> | undefined;

  async function work(now: EpochSeconds): Promise<void> {
    while (assignments.length > 0) {
      const batch = assignments.slice(0, ASSIGNMENTS_A_TIME);
      await entries.assign(batch, now);
      assignments.splice(0, batch.length);
    }
    if (spare.length < SPARE / 2) {
      const { first, count } = await entries.reserveSpare(SPARE);
      spare.push(...Array.from({ length: count }, (_, at) => first + at));
    }
  }

  function upkeep(now: EpochSeconds): Promise<void> {
    working ??= work(now).finally(() => {
      working = undefined;
    });
    return working;
  }

  function reserve(clientId: string, stock: Stock, now: EpochSeconds): Promise<void> {
    const count = sizeFor(stock, now);
    const usableUntil = now + USABLE_SECONDS;
    stock.filling ??= entries
      .reserve(clientId, count, usableUntil + longestTokenSeconds)
      .then((block) => void (stock.ahead = { ...block, used: 0, usableUntil, since: now }))
      .finally(() => {
        stock.filling = undefined;
      });
    return stock.filling;
  }

  async function afterFilling(clientId: string, stock: Stock, now: EpochSeconds): Promise<StatusEntry> {
    for (;;) {
      await reserve(clientId, stock, now);
      const entry = takeFrom(stock, now);
      if (entry !== undefined) {
        return entry;
      }
    }
  }

  return {
    take(clientId, now) {
      let stock = clients.get(clientId);
      if (stock === undefined) {
        stock = { block: undefined, ahead: undefined, filling: undefined };
        clients.set(clientId, stock);
      }
      const entry = takeFrom(stock, now);
      if (entry === undefined) {
        const own = spare.pop();
        if (own === undefined) {
          return afterFilling(clientId, stock, now);
        }
        assignments.push({ entry: own, clientId, expiresAt: now + longestTokenSeconds });
        // Both go on when the database is there.
        reserve(clientId, stock, now).catch(() => undefined);
        upkeep(now).catch(() => undefined);
        return own;
      }
      const { block, ahead, filling } = stock;
      if (ahead === undefined && filling === undefined && block !== undefined && block.used > block.count / 2) {
        // If it fails, whoever needs an entry asks again, and is told.
        reserve(clientId, stock, now).catch(() => undefined);
      }
      return entry;
    },
    upkeep,
  };
}

// For the first tokens of clients, and for those of an outage.
const SPARE = 512;
const ASSIGNMENTS_A_TIME = 50;

const MOST_CLIENTS = 10_000;

// What a quiet client has not used by then is given up, so that the lists of old blocks can go.
const USABLE_SECONDS = 3600;

const SMALLEST_BLOCK = 16;
const LARGEST_BLOCK = 65_536;

interface Block extends EntryBlock {
  used: number;
  readonly usableUntil: EpochSeconds;
  /** When it was reserved. */
  readonly since: EpochSeconds;
}

interface Stock {
  block: Block | undefined;
  ahead: Block | undefined;
  filling: Promise<void> | undefined;
}

function takeFrom(stock: Stock, now: EpochSeconds): StatusEntry | undefined {
  let { block } = stock;
  if (block === undefined || block.used === block.count || now >= block.usableUntil) {
    block = stock.ahead;
    stock.ahead = undefined;
    if (block === undefined || now >= block.usableUntil) {
      return undefined;
    }
    stock.block = block;
  }
  return block.first + block.used++;
}

/** For about a minute at the present rate: the next block is larger when this one went quickly, and smaller when it lasted. */
function sizeFor({ block }: Stock, now: EpochSeconds): number {
  if (block === undefined) {
    return SMALLEST_BLOCK;
  }
  const seconds = now - block.since;
  const factor = seconds <= 2 ? 16 : seconds <= 30 ? 4 : seconds > 600 ? 0.25 : 1;
  return Math.min(LARGEST_BLOCK, Math.max(SMALLEST_BLOCK, block.count * factor));
}
