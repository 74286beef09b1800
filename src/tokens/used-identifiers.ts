import type { EpochSeconds } from '../core/clock.ts';

/** What an identifier counts once within: one for each kind of thing that must not be used twice, and whose it is. */
export type UseNamespace = `client_assertion ${string}` | `assertion ${string}` | `dpop ${string}` | `request_object ${string}`;

/** Identifiers that may be used once (`jti`), on whatever node. */
export interface UsedIdentifiers {
  /**
   * Marks an identifier as used, durably. Of any number of calls at once, on any number of nodes, exactly one is answered true.
   * @param expiresAt when whatever carries it is refused for its age anyway, and the mark may go.
   */
  use(namespace: UseNamespace, identifier: string, expiresAt: EpochSeconds): Promise<boolean>;
}
