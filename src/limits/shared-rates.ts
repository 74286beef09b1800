import type { EpochSeconds } from '../core/clock.ts';
import type { SpentKey, Use } from './rate-limiter.ts';

/** What all processes together took of their limits. */
export interface SharedRates {
  /**
   * Adds what this process took, one statement for all of it: uses of several processes add up.
   * @returns until when each of these keys is spent, with what everybody took.
   * @throws StorageUnavailable
   */
  add(uses: readonly Use[], now: EpochSeconds): Promise<readonly SpentKey[]>;
}
