import type { EpochSeconds } from '../core/clock.ts';
import type { Scope } from '../core/scope.ts';

/** What users have allowed clients before, so that they are not asked twice. */
export interface Consents {
  /** Every scope value the user has allowed the client. */
  find(userId: string, clientId: string): Promise<Scope>;
  /** Adds scope values to those allowed before. */
  remember(userId: string, clientId: string, scope: Scope, now: EpochSeconds): Promise<void>;
}
