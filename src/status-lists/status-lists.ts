import type { SigningAlgorithm } from '../config/config.ts';
import type { Clock, EpochSeconds } from '../core/clock.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { type ClientEntries, clientEntries } from './client-entries.ts';
import type { StatusEntries, StatusEntry } from './entries.ts';
import { knownLists } from './known-lists.ts';
import { listKeys } from './list-keys.ts';
import { listPublisher, type PublishedList } from './list-publisher.ts';
import { type StatusListeners, statusListeners } from './listeners.ts';
import { statusBits } from './status-bits.ts';
import type { StatusChanges } from './status-changes.ts';
import { type ListChange, statusFeed } from './status-feed.ts';
import { keyName, STATUS_LISTS_PATH, type StatusReferences } from './status-references.ts';

/** The status lists of this server: what tokens name, and what resource servers read. */
export interface StatusLists extends Pick<StatusReferences, 'claim'> {
  /** For a token that has no grant. */
  readonly takeEntry: ClientEntries['take'];
  /** Whether the lists, as this node has them now, say that an entry is invalid. */
  isInvalid(entry: StatusEntry): boolean;
  /** The addresses of all lists that living tokens may name (section 9). */
  aggregation(): Promise<readonly string[]>;
  /** A list by the two parts of its address; undefined: there is no such list, or no living token names it. */
  find(key: string, list: string): Promise<PublishedList | undefined>;
  readonly listeners: StatusListeners;
  readonly ttlSeconds: number;
  /** To be called when something may have been revoked, by this node or another; once a second at least. Then the lists have it. */
  changed(): Promise<void>;
  /** To be called before anything else. @throws StorageUnavailable */
  start(): Promise<void>;
  /** To be called every hour or so, to let go of what has expired. */
  reload(): Promise<void>;
  /** To be called every second: entries for tokens must be there before they are asked for. */
  stockUp(): Promise<void>;
  /** To be called every minute or so: which lists are in use changes slowly. */
  lookAround(): Promise<void>;
}

export function statusLists(rooms: {
  readonly issuer: string;
  readonly references: StatusReferences;
  readonly keys: Pick<KeyRing, 'current' | 'published' | 'revoked' | 'isNext' | 'onChange'>;
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  readonly entries: StatusEntries;
  readonly changes: StatusChanges;
  readonly ttlSeconds: number;
  readonly longestTokenSeconds: EpochSeconds;
  readonly clock: Clock;
}): StatusLists {
  const { issuer, references, keys, entries, changes, ttlSeconds, longestTokenSeconds, clock } = rooms;
  const bits = statusBits(references);
  const listeners = statusListeners({ clock, knownAt: () => feed.knownAt() });
  const keysByName = listKeys(rooms);
  const lists = knownLists({ entries, touched: () => bits.touched(), clock });
  const aggregationUri = issuer + STATUS_LISTS_PATH;
  const publish = listPublisher({ keys, bits, references, aggregationUri, ttlSeconds, knownAt: () => feed.knownAt() });
  const feed = statusFeed({ bits, references, changes, keepSeconds: longestTokenSeconds + SPARE_SECONDS, clock, onChange: announce });
  let revoked = keys.revoked();

  function announce(changed: readonly ListChange[]): void {
    const names = [...keysByName().values()].filter((key) => key.hasSigned() && !key.isRevoked).map(({ name }) => name);
    for (const { list, indices } of changed) {
      const addresses = names.map((name) => references.uri(name, list));
      listeners.publish({ status_lists: addresses, ...(indices === undefined ? {} : { idx: indices }) });
    }
  }

  keys.onChange(() => {
    const before = revoked;
    revoked = keys.revoked();
    const names = revoked.filter((kid) => !before.includes(kid)).map(keyName);
    if (names.length > 0) {
      void announceRevoked(names);
    }
  });

  async function announceRevoked(names: readonly string[]): Promise<void> {
    // Without the database: as of the last minute.
    const all = await lists.current().catch(() => lists.known());
    listeners.publish({ status_lists: names.flatMap((name) => all.map((list) => references.uri(name, list))) });
  }

  const ofClients = clientEntries({ entries, longestTokenSeconds: longestTokenSeconds + SPARE_SECONDS });

  return {
    claim: references.claim,
    takeEntry: ofClients.take,
    stockUp: () => ofClients.upkeep(clock.now()),
    isInvalid: bits.isInvalid,
    async aggregation() {
      const known = await lists.current();
      const names = [...keysByName().values()].filter(({ hasSigned }) => hasSigned()).map(({ name }) => name);
      return names.flatMap((name) => known.map((list) => references.uri(name, list)));
    },
    async find(keyPart, listPart) {
      const key = keysByName().get(keyPart);
      const list = /^(0|[1-9]\d{0,8})$/.test(listPart) ? Number(listPart) : undefined;
      return key !== undefined && list !== undefined && (await lists.has(list)) ? publish(key, list) : undefined;
    },
    listeners,
    ttlSeconds,
    changed: feed.catchUp,
    async start() {
      await feed.catchUp();
      await lists.refresh();
      await ofClients.upkeep(clock.now());
    },
    reload: feed.reload,
    lookAround: lists.refresh,
  };
}

// A change counts for longer than the tokens that it hit live, by the difference that clocks may have.
const SPARE_SECONDS = 300;
