import type { Time } from './time.ts';

/** What the issuer told of lists that were not fetched again yet. */
export interface AnnouncedRevocations {
  add(uri: string, indices: readonly number[] | undefined): void;
  /** Whether it told that this entry became invalid. */
  has(uri: string, index: number): boolean;
  /** When it last told that the list changed without saying where; -Infinity: never. */
  unspecifiedAt(uri: string): number;
  /** A list that was asked for at `askedAt` is here: what was told long before is in it. */
  settle(uri: string, askedAt: number): void;
}

// Caches between, and nodes of the issuer that learn of a change a moment later, may still answer with the list of before.
const SETTLED_AFTER_SECONDS = 60;

const MOST_AN_UNREAD_LIST = 10_000;

interface Announcements {
  readonly at: Map<number, number>;
  unspecifiedAt: number;
}

export function announcedRevocations(time: Time): AnnouncedRevocations {
  const lists = new Map<string, Announcements>();
  return {
    add(uri, indices) {
      let list = lists.get(uri);
      if (list === undefined) {
        list = { at: new Map(), unspecifiedAt: Number.NEGATIVE_INFINITY };
        lists.set(uri, list);
      }
      const now = time.elapsedSeconds();
      if (indices === undefined) {
        list.unspecifiedAt = now;
      }
      for (const index of indices ?? []) {
        list.at.set(index, now);
      }
      if (list.at.size > MOST_AN_UNREAD_LIST) {
        // A list that nobody asks about would gather them for ever. It is read before the next answer instead.
        list.at.clear();
        list.unspecifiedAt = now;
      }
    },
    has: (uri, index) => lists.get(uri)?.at.has(index) ?? false,
    unspecifiedAt: (uri) => lists.get(uri)?.unspecifiedAt ?? Number.NEGATIVE_INFINITY,
    settle(uri, askedAt) {
      const list = lists.get(uri);
      for (const [index, at] of list?.at ?? []) {
        if (at > askedAt - SETTLED_AFTER_SECONDS) {
          break;
        }
        list?.at.delete(index);
      }
    },
  };
}
