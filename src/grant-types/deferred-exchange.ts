import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import type { DetailRequests } from '../authorization-details/detail-requests.ts';
import type { AnswerEncryption } from '../clients/answer-encryption.ts';
import { mayUseGrantType } from '../clients/permissions.ts';
import type { Lifetimes } from '../config/config.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { required } from '../core/parameters.ts';
import type { DeferredCredentials } from '../deferred-requests/deferred-credentials.ts';
import type { DeferredKind, DeferredRequests } from '../deferred-requests/deferred-request.ts';
import { ExpiredToken, grantOfPoll, refusedCredential } from '../deferred-requests/polling.ts';
import type { Grant } from '../grants/grant.ts';
import type { Grants } from '../grants/grants.ts';
import { useRefreshToken } from '../grants/rotation.ts';
import type { RegisteredResources, Resources } from '../resources/registered-resources.ts';
import { tokenTarget, type WantedTarget } from '../resources/token-target.ts';
import type { AccessTokenIssuer } from '../tokens/access-token.ts';
import type { GrantCredentials } from '../tokens/grant-credentials.ts';
import type { IdTokenIssuer } from '../tokens/id-token.ts';
import { accessTokenSeconds, refreshTokenIdleSeconds } from '../tokens/lifetimes.ts';
import { type TokenResponse, tokenResponse } from '../tokens/token-response.ts';
import type { TokenRequest } from './grant-type.ts';
import { grantedResources, remainingScope } from './granted.ts';
import { grantedDetails, namesDetails, refuseBeyondGrant } from './granted-details.ts';
import { refreshTokenBinding } from './refresh-token-binding.ts';

/** What the grant types need by which a client polls for a user's decision. */
export interface DeferredExchangeRooms {
  readonly deferredRequests: Pick<DeferredRequests, 'poll'>;
  readonly deferredCredentials: Pick<DeferredCredentials, 'prove'>;
  readonly grants: Grants;
  readonly credentials: GrantCredentials;
  readonly issueAccessToken: AccessTokenIssuer;
  readonly issueIdToken: IdTokenIssuer;
  readonly resources: Pick<Resources, 'registered'>;
  readonly answerEncryption: Pick<AnswerEncryption, 'refuseWithoutKey'>;
  readonly detailRequests: DetailRequests;
  readonly lifetimes: Lifetimes;
  readonly audit: AuditTrail;
}

/**
 * Polls for the decision on a request, and exchanges what a user allowed for tokens. The credential is generation 0 of the grant, and used as
 * a refresh token is: once; again within the grace period for the same successor, for an answer may be lost (RFC 8628 section 3.5 has clients
 * go on polling after a timeout); and later it ends the grant, for then two hold it.
 * @param credential the parameter that it comes in.
 */
export function deferredExchange(
  rooms: DeferredExchangeRooms,
  { kind, credential }: { readonly kind: DeferredKind; readonly credential: 'device_code' | 'auth_req_id' },
): (request: TokenRequest) => Promise<TokenResponse> {
  const { deferredRequests, deferredCredentials, grants, credentials, resources, answerEncryption, detailRequests, lifetimes, audit } =
    rooms;

  return async (request) => {
    const { client, parameters, confirmation, now } = request;
    const requestId = deferredCredentials.prove(kind, required(parameters, credential));
    if (requestId === undefined) {
      throw refusedCredential(credential, 'it was not made here');
    }
    const asked = namesDetails(parameters) ? await detailRequests.requested(parameters, client) : undefined;
    const registered = await resources.registered();
    const grantId = grantOfPoll(await deferredRequests.poll(requestId, { kind, clientId: client.id }, now), credential);
    const before = await grants.find(grantId);
    if (before === undefined || hasExpiredUnused(before, now)) {
      throw new ExpiredToken(`The ${credential} has expired: begin again.`);
    }
    // All that can refuse the request comes before the swap.
    await answerEncryption.refuseWithoutKey(client, 'id_token');
    tokenTarget(wantedOf(request, before), registered);
    refuseBeyondGrant(asked, client, before);
    const refreshes = mayUseGrantType(client, 'refresh_token');
    const outcome = await useRefreshToken(
      grants,
      {
        grantId,
        generation: 0,
        clientId: client.id,
        // Whatever the client's refresh tokens do: it is spent.
        rotates: true,
        idleSeconds: refreshes ? refreshTokenIdleSeconds(client, lifetimes) : accessTokenSeconds(client, lifetimes),
        graceSeconds: lifetimes.refreshTokenGraceSeconds,
        confirmation,
        binding: refreshTokenBinding(client),
        reuse: 'deferred_request_reuse',
      },
      now,
    );
    if (outcome.kind === 'refused' || outcome.kind === 'reused') {
      if (outcome.kind === 'reused') {
        const { id, user } = outcome.grant;
        audit.record('deferred_request_reuse', { kind, grantId: id, clientId: client.id, userId: user.id, requestId: request.requestId });
      }
      throw refusedCredential(credential, outcome.detail);
    }
    return answer(request, outcome.grant, { asked, registered, refreshes });
  };

  async function answer(
    request: TokenRequest,
    grant: Grant,
    { asked, registered, refreshes }: { asked: AuthorizationDetails | undefined; registered: RegisteredResources; refreshes: boolean },
  ): Promise<TokenResponse> {
    const { client, confirmation, now } = request;
    const wanted = wantedOf(request, grant);
    const target = tokenTarget(wanted, registered);
    const authorizationDetails = await grantedDetails(detailRequests, { asked, client, grant });
    const accessToken = await rooms.issueAccessToken({ ...wanted, grant, authorizationDetails, confirmation, target }, now);
    const token = credentials.refreshToken({ grantId: grant.id, generation: grant.generation });
    const { scope } = wanted;
    const idToken = await rooms.issueIdToken({ client, grant, scope, accessToken: accessToken.token, answers: 'authentication' }, now);
    return tokenResponse({ accessToken, refresh: refreshes ? { token, grant } : undefined, idToken }, now);
  }
}

/** Allowed in time, and not asked for in time. */
function hasExpiredUnused({ generation, expiresAt, revokedAt }: Grant, now: EpochSeconds): boolean {
  return generation === 0 && revokedAt === undefined && now >= expiresAt;
}

/** What the grant's first access token is asked for: all of its scope, and the resources that the request names out of its own. */
function wantedOf({ client, parameters }: TokenRequest, grant: Grant): WantedTarget {
  return { client, resources: grantedResources(parameters, client, grant), scope: remainingScope(client, grant) };
}
