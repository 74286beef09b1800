import type { Clock, EpochSeconds } from '../core/clock.ts';
import type { EntryBlock } from './entries.ts';
import { type StatusBits, statusBits } from './status-bits.ts';
import type { ChangePosition, StatusChanges } from './status-changes.ts';
import type { StatusReferences } from './status-references.ts';

/** Keeps the lists in memory as the records have them. */
export interface StatusFeed {
  /**
   * Takes in what has been revoked since the last time, by whatever node. Whatever was committed before the call is in the lists when it
   * resolves; calls at the same moment share one look. @throws StorageUnavailable: the next call finds what was missed.
   */
  catchUp(): Promise<void>;
  /**
   * Reads all that still counts, and forgets what has expired: at the start, and now and then. The lists stay in use meanwhile.
   * @throws StorageUnavailable: all stays as it was.
   */
  reload(): Promise<void>;
  /** Until when the lists have everything: now or, while the records cannot be looked at, when they last could. */
  knownAt(): EpochSeconds;
}

/** What changed in one list, for whoever listens. */
export interface ListChange {
  readonly list: number;
  /** The indices that became invalid; undefined: look at the list itself. */
  readonly indices: readonly number[] | undefined;
}

export function statusFeed(parts: {
  readonly bits: StatusBits;
  readonly references: StatusReferences;
  readonly changes: StatusChanges;
  /** How long a revocation counts: until every token that it hit has expired. */
  readonly keepSeconds: number;
  readonly clock: Clock;
  readonly onChange: (changes: readonly ListChange[]) => void;
}): StatusFeed {
  const { bits, references, changes, keepSeconds, clock, onChange } = parts;
  let position: ChangePosition | undefined;
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  // What came in while a reload was reading, which may not have seen it.
  let sinceReloadBegan: EntryBlock[] | undefined;
  let reloading: Promise<void> | undefined;
  let lookedAt = clock.now();
  let isBehind = false;

  async function look(): Promise<void> {
    if (position === undefined) {
      return reload();
    }
    const found = await changes.after(position);
    if (found === undefined) {
      position = undefined;
      return reload();
    }
    position = found.position;
    sinceReloadBegan?.push(...found.changes);
    const marked = bits.apply(found.changes);
    if (marked.size > 0) {
      onChange([...marked].map(([list, indices]) => ({ list, indices })));
    }
  }

  async function lookAndTell(): Promise<void> {
    const at = clock.now();
    try {
      await look();
      [lookedAt, isBehind] = [at, false];
    } catch (error) {
      isBehind = true;
      throw error;
    }
  }

  function begin(): Promise<void> {
    running = lookAndTell().finally(() => {
      running = undefined;
    });
    return running;
  }

  async function load(): Promise<void> {
    const isFirst = position === undefined;
    const from = await changes.position();
    sinceReloadBegan = [];
    try {
      const fresh = statusBits(references);
      await changes.all(clock.now() - keepSeconds, (page) => void fresh.apply(page));
      fresh.apply(sinceReloadBegan);
      const different = bits.replaceBy(fresh);
      if (isFirst) {
        position = from;
      }
      if (different.length > 0) {
        onChange(different.map((list) => ({ list, indices: undefined })));
      }
    } finally {
      sinceReloadBegan = undefined;
    }
  }

  function reload(): Promise<void> {
    reloading ??= load().finally(() => {
      reloading = undefined;
    });
    return reloading;
  }

  return {
    catchUp() {
      if (running === undefined) {
        return begin();
      }
      // The look under way may have begun before what the caller knows of was committed, so it takes another one; whoever else asks shares that.
      next ??= running
        .catch(() => undefined)
        .then(() => {
          next = undefined;
          return running ?? begin();
        });
      return next;
    },
    reload,
    knownAt: () => (isBehind ? lookedAt : clock.now()),
  };
}
