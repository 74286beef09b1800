import type { Lifetimes } from '../config/config.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { newIdentifier } from '../core/identifiers.ts';
import type { Grants } from '../grants/grants.ts';
import type { GrantCredentials } from '../tokens/grant-credentials.ts';
import { absoluteExpiry, authorizationCodeSeconds } from '../tokens/lifetimes.ts';
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
 * @returns its code, for the client (RFC 6749 section 4.1.2); undefined: the session is over, and nothing was recorded.
 */
export type CodeIssuer = (allowed: AllowedAuthorization, now: EpochSeconds) => Promise<string | undefined>;

export function codeIssuer(rooms: {
  readonly grants: Grants;
  readonly credentials: GrantCredentials;
  readonly lifetimes: Lifetimes;
  readonly audit: AuditTrail;
}): CodeIssuer {
  const { grants, credentials, lifetimes, audit } = rooms;

  return async ({ addressed, authorization, userId, authentication, requestId }, now) => {
    const { client, redirectUri, redirectUriGiven } = addressed;
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
      code: { redirectUri, redirectUriGiven, codeChallenge: authorization.codeChallenge },
      confirmation: authorization.confirmation,
      createdAt: now,
      expiresAt: now + authorizationCodeSeconds(client, lifetimes),
      absoluteExpiresAt: absoluteExpiry(client, lifetimes, now),
      onlyInLiveSession: true,
    });
    if (!isMade) {
      return undefined;
    }
    audit.record('grant_created', { grantId: id, clientId: client.id, userId, requestId });
    return credentials.authorizationCode(id);
  };
}
