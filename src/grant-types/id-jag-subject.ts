import type { Lifetimes } from '../config/config.ts';
import type { AuditTrail } from '../core/audit.ts';
import { InvalidRequest } from '../core/errors.ts';
import { required } from '../core/parameters.ts';
import type { Grant } from '../grants/grant.ts';
import type { Grants } from '../grants/grants.ts';
import { judge } from '../grants/rotation.ts';
import type { Sessions } from '../interaction/session.ts';
import type { GrantCredentials } from '../tokens/grant-credentials.ts';
import { refreshTokenIdleSeconds } from '../tokens/lifetimes.ts';
import type { IdTokenReader } from '../tokens/own-id-tokens.ts';
import type { TokenRequest } from './grant-type.ts';

/** RFC 8693 section 3. */
export const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token';
export const REFRESH_TOKEN = 'urn:ietf:params:oauth:token-type:refresh_token';

/** Finds the login that a request for an ID-JAG is about. */
export interface IdJagSubjects {
  /**
   * @returns the grant of a login at this client that still counts. Nothing is used up.
   * @throws InvalidRequest as RFC 8693 section 2.2.2 wants it for a token that is "invalid for any reason".
   */
  read(request: TokenRequest): Promise<Grant>;
}

/**
 * draft-ietf-oauth-identity-assertion-authz-grant-03 section 4.3.2. An ID token says who logged in, and not whether that still holds: so its grant is
 * looked at, as for an access token, and the session, since whoever logged out is logged in at no other application either.
 */
export function idJagSubjects(rooms: {
  readonly readIdToken: IdTokenReader;
  readonly credentials: Pick<GrantCredentials, 'proveRefreshToken'>;
  readonly grants: Pick<Grants, 'find' | 'revoke'>;
  readonly hasLiveSession: Sessions['hasLive'];
  readonly lifetimes: Lifetimes;
  readonly audit: AuditTrail;
}): IdJagSubjects {
  const { readIdToken, credentials, grants, hasLiveSession, lifetimes, audit } = rooms;

  return {
    async read(request) {
      const { client, parameters, now } = request;
      const text = required(parameters, 'subject_token');
      const type = required(parameters, 'subject_token_type');
      if (type !== ID_TOKEN && type !== REFRESH_TOKEN) {
        // Not supported: SAML, and access tokens, which the draft takes for no identity assertion.
        throw new InvalidRequest(`The subject_token_type must be ${ID_TOKEN} or ${REFRESH_TOKEN} where an ID-JAG is requested.`);
      }
      const grant = type === ID_TOKEN ? await ofIdToken(text, request) : await ofRefreshToken(text, request);
      if (grant === undefined || grant.clientId !== client.id) {
        throw refusal('of no grant of this client');
      }
      const { revokedAt, user, absoluteExpiresAt, scope, authentication } = grant;
      if (revokedAt !== undefined || user.disabled || (absoluteExpiresAt !== undefined && now >= absoluteExpiresAt)) {
        throw refusal('its grant is over, or its user disabled');
      }
      if (!scope.includes('openid')) {
        throw refusal('of no login');
      }
      // OpenID Connect Core section 11: with that, what the client may do lasts beyond the session.
      if (!scope.includes('offline_access') && !(await hasLiveSession(authentication.sessionId, now))) {
        throw refusal('its session is over');
      }
      return grant;
    },
  };

  /**
   * It must be one of now: RFC 7521 section 5.2 has expired assertions rejected, and the draft sends the client of one back for another (section 4.4.3).
   * As a hint it would do for ever.
   */
  async function ofIdToken(text: string, { client, now }: TokenRequest): Promise<Grant | undefined> {
    const idToken = await readIdToken(text);
    if (idToken === undefined || now >= idToken.expiresAt) {
      throw refusal('unknown or expired');
    }
    if (idToken.clientId !== client.id) {
      throw refusal(`the ID token is client ${idToken.clientId}'s`);
    }
    return idToken.grantId === undefined ? undefined : grants.find(idToken.grantId);
  }

  /**
   * "The same way it would for a standard refresh_token grant". But it is not rotated, because the answer has no place for its successor (section
   * 4.3.3), and what its use would prolong stays as it is.
   */
  async function ofRefreshToken(text: string, { client, confirmation, now, requestId }: TokenRequest): Promise<Grant | undefined> {
    const proved = credentials.proveRefreshToken(text);
    if (proved === undefined) {
      throw refusal('the refresh token was not made here');
    }
    const presented = {
      ...proved,
      clientId: client.id,
      rotates: client.metadata.refresh_token_rotation,
      idleSeconds: refreshTokenIdleSeconds(client, lifetimes),
      graceSeconds: lifetimes.refreshTokenGraceSeconds,
      confirmation,
    };
    const grant = await grants.find(proved.grantId);
    const verdict = judge(grant, presented, now);
    if (verdict.kind === 'reused') {
      await grants.revoke(proved.grantId, 'refresh_token_reuse', now);
      audit.record('refresh_token_reuse', { grantId: proved.grantId, clientId: client.id, userId: verdict.grant.user.id, requestId });
    }
    if (verdict.kind === 'reused' || verdict.kind === 'refused') {
      throw refusal(verdict.detail);
    }
    return grant;
  }
}

/** One answer for every cause, so that a thief learns nothing from it. */
function refusal(detail: string): InvalidRequest {
  return new InvalidRequest(
    'The subject_token is not valid: it is unknown, expired, revoked, of another client, or of a login that is over. Let the user log in again.',
    `subject_token: ${detail}`,
  );
}
