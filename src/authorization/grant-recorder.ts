import type { Lifetimes } from '../config/config.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { newIdentifier } from '../core/identifiers.ts';
import type { CodeBinding } from '../grants/grant.ts';
import type { Grants } from '../grants/grants.ts';
import { absoluteExpiry } from '../tokens/lifetimes.ts';
import type { AddressedRequest, Authorization } from './authorization.ts';

/** An authorization that a user has let happen. */
export interface AllowedAuthorization {
  readonly addressed: AddressedRequest;
  readonly authorization: Authorization;
  readonly userId: string;
  /** The login it rests on. */
  readonly authentication: { readonly sid: string; readonly authTime: EpochSeconds; readonly methods: readonly string[] };
  readonly requestId: string;
}

/**
 * Records the grant, if the session it rests on still lives at that moment.
 * @param first what its first credential must be redeemed with, and by when.
 * @returns the identifier of the grant; undefined: the session is over, and nothing was recorded.
 */
export type GrantRecorder = (
  allowed: AllowedAuthorization,
  first: { readonly code: CodeBinding; readonly expiresAt: EpochSeconds },
  now: EpochSeconds,
) => Promise<string | undefined>;

export function grantRecorder(rooms: {
  readonly grants: Pick<Grants, 'create'>;
  readonly lifetimes: Lifetimes;
  readonly audit: AuditTrail;
}): GrantRecorder {
  const { grants, lifetimes, audit } = rooms;

  return async ({ addressed: { client }, authorization, userId, authentication, requestId }, { code, expiresAt }, now) => {
    const id = newIdentifier();
    const isMade = await grants.create({
      id,
      clientId: client.id,
      userId,
      scope: authorization.scope,
      resources: authorization.resources,
      authorizationDetails: authorization.authorizationDetails,
      authentication: { authTime: authentication.authTime, methods: authentication.methods, sessionId: authentication.sid },
      openid: authorization.openid,
      code,
      confirmation: authorization.confirmation,
      createdAt: now,
      expiresAt,
      absoluteExpiresAt: absoluteExpiry(client, lifetimes, now),
      onlyInLiveSession: true,
    });
    if (isMade) {
      audit.record('grant_created', { grantId: id, clientId: client.id, userId, requestId });
    }
    return isMade ? id : undefined;
  };
}
