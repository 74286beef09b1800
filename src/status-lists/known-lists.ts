import type { Clock, EpochSeconds } from '../core/clock.ts';
import type { StatusEntries } from './entries.ts';

/** Which lists there are: those whose entries a living token may carry. */
export interface KnownLists {
  /** As of the last look. */
  known(): readonly number[];
  /** As of a look not much longer ago than a second. @throws StorageUnavailable */
  current(): Promise<readonly number[]>;
  /** Whether there is such a list; looks again for one that is not known, since another node may just have begun it. */
  has(list: number): Promise<boolean>;
  /** Looks. @throws StorageUnavailable */
  refresh(): Promise<void>;
}

export function knownLists(rooms: {
  readonly entries: Pick<StatusEntries, 'listsInUse'>;
  /** Lists in which something was revoked a short while ago: their grants may be gone, and their tokens not. */
  readonly touched: () => readonly number[];
  readonly clock: Clock;
}): KnownLists {
  const { entries, touched, clock } = rooms;
  let known: ReadonlySet<number> = new Set();
  let lookedAt: EpochSeconds | undefined;
  let looking: Promise<void> | undefined;

  async function look(): Promise<void> {
    const now = clock.now();
    known = new Set([...(await entries.listsInUse(now)), ...touched()]);
    lookedAt = now;
  }

  function refresh(): Promise<void> {
    looking ??= look().finally(() => {
      looking = undefined;
    });
    return looking;
  }

  /** The list after the newest one of its series counts too: another node may have begun it a moment ago. */
  function isThere(list: number): boolean {
    return known.has(list) || (known.has(list - 2) && isNewest(list - 2)) || touched().includes(list);
  }

  function isNewest(list: number): boolean {
    return [...known].every((other) => other % 2 !== list % 2 || other <= list);
  }

  /** A stranger who makes up numbers causes one look a second, whatever he does. */
  async function refreshOld(): Promise<void> {
    if (lookedAt === undefined || clock.now() > lookedAt) {
      await refresh();
    }
  }

  return {
    known: () => [...known],
    async current() {
      await refreshOld();
      return [...known];
    },
    async has(list) {
      if (!isThere(list)) {
        await refreshOld();
      }
      return isThere(list);
    },
    refresh,
  };
}
