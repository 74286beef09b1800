import type { EpochSeconds } from '../core/clock.ts';
import type { EntryBlock } from './entries.ts';

/** What has been revoked, in the records: written with whatever revokes, read by every node. */
export interface StatusChanges {
  /** Where the record stands now: what is committed later comes after it. */
  position(): Promise<ChangePosition>;
  /**
   * Every change that was committed after `position`, in whatever order the transactions ended, and none of those before.
   * @returns undefined when the record went back behind `position` (a backup was restored): then all must be read again.
   */
  after(position: ChangePosition): Promise<{ readonly changes: readonly EntryBlock[]; readonly position: ChangePosition } | undefined>;
  /** All changes since a date, page by page. */
  all(since: EpochSeconds, take: (page: readonly EntryBlock[]) => void): Promise<void>;
}

/** Known to the records alone. */
export type ChangePosition = string;
