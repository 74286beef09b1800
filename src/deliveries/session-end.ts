import type { ClientMetadata } from '../clients/client-metadata.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { newIdentifier } from '../core/identifiers.ts';
import type { Scope } from '../core/scope.ts';
import { BACK_CHANNEL_LOGOUT } from './back-channel-logout.ts';
import type { NewDelivery } from './delivery.ts';

/** A grant that was made in a session which ends, and what its client registered about that. */
export interface GrantOfSession {
  readonly id: string;
  readonly clientId: string;
  readonly userId: string;
  readonly sessionId: string;
  readonly scope: Scope;
  readonly metadata: Pick<ClientMetadata, 'backchannel_logout_uri' | 'revoke_grants_on_logout'>;
}

/** What follows from the end of sessions. */
export interface SessionEnd {
  /** One for each client and session. */
  readonly deliveries: readonly NewDelivery[];
  /** The grants that end with their sessions. */
  readonly endedGrants: readonly string[];
}

// Longer makes no sense: by then the session of the application is over, too.
const GIVEN_UP_AFTER_SECONDS = 86_400;

/**
 * What the end of sessions means for the clients that a user went to in them (OpenID Connect Back-Channel Logout sections 2.3 and 2.7):
 * those who registered for it are told, and grants end where the client wants that. `offline_access` is permission for the time when the
 * user is away ("normally SHOULD NOT be revoked"), so a grant that has it lives on in any case.
 */
export function sessionEnd(grants: readonly GrantOfSession[], now: EpochSeconds): SessionEnd {
  const deliveries = new Map<string, NewDelivery>();
  for (const { clientId, userId, sessionId, metadata } of grants) {
    const key = `${clientId} ${sessionId}`;
    if (metadata.backchannel_logout_uri !== undefined && !deliveries.has(key)) {
      deliveries.set(key, {
        id: newIdentifier(),
        clientId,
        kind: BACK_CHANNEL_LOGOUT,
        payload: { user_id: userId, session_id: sessionId },
        createdAt: now,
        expiresAt: now + GIVEN_UP_AFTER_SECONDS,
      });
    }
  }
  const ended = grants.filter(({ metadata, scope }) => metadata.revoke_grants_on_logout === true && !scope.includes('offline_access'));
  return { deliveries: [...deliveries.values()], endedGrants: ended.map(({ id }) => id) };
}
