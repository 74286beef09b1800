import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import { NO_DETAILS } from '../authorization-details/authorization-detail.ts';
import type { DetailRequests } from '../authorization-details/detail-requests.ts';
import type { AnswerEncryption } from '../clients/answer-encryption.ts';
import { requestedScope } from '../clients/permissions.ts';
import type { Lifetimes } from '../config/config.ts';
import type { AuditTrail } from '../core/audit.ts';
import { InvalidGrant } from '../core/errors.ts';
import { birthOf } from '../core/identifiers.ts';
import { required } from '../core/parameters.ts';
import type { Grant } from '../grants/grant.ts';
import type { Grants } from '../grants/grants.ts';
import type { RotationOutcome } from '../grants/rotation.ts';
import { useRefreshToken } from '../grants/rotation.ts';
import type { RegisteredResources, Resources } from '../resources/registered-resources.ts';
import { mayRefuse, tokenTarget, type WantedTarget } from '../resources/token-target.ts';
import type { AccessTokenIssuer } from '../tokens/access-token.ts';
import type { GrantCredential, GrantCredentials } from '../tokens/grant-credentials.ts';
import type { IdTokenIssuer } from '../tokens/id-token.ts';
import { refreshTokenIdleSeconds } from '../tokens/lifetimes.ts';
import { tokenResponse } from '../tokens/token-response.ts';
import type { GrantType, TokenRequest } from './grant-type.ts';
import { grantedResources, remainingScope } from './granted.ts';
import { grantedDetails, namesDetails, refuseBeyondGrant } from './granted-details.ts';
import { refreshTokenBinding } from './refresh-token-binding.ts';

/** RFC 6749 section 6, with rotation (RFC 9700 section 4.14.2) that neither forks nor logs out an honest client. */
export function refreshToken(rooms: {
  readonly grants: Grants;
  readonly credentials: GrantCredentials;
  readonly issueAccessToken: AccessTokenIssuer;
  readonly issueIdToken: IdTokenIssuer;
  readonly resources: Pick<Resources, 'registered'>;
  readonly answerEncryption: Pick<AnswerEncryption, 'refuseWithoutKey'>;
  readonly detailRequests: DetailRequests;
  readonly lifetimes: Lifetimes;
  readonly audit: AuditTrail;
}): GrantType {
  const { grants, credentials, issueAccessToken, issueIdToken, resources, answerEncryption, detailRequests, lifetimes, audit } = rooms;

  return {
    type: 'refresh_token',
    async exchange(request) {
      const { client, parameters, confirmation, now } = request;
      const presented = credentials.proveRefreshToken(required(parameters, 'refresh_token'));
      if (presented === undefined) {
        throw refusal('the token was not made here');
      }
      const registered = await resources.registered();
      const asked = namesDetails(parameters) ? await detailRequests.requested(parameters, client) : undefined;
      await refuseBeforeUse(request, presented, { registered, asked });
      const outcome = await useRefreshToken(
        grants,
        {
          ...presented,
          clientId: client.id,
          rotates: client.metadata.refresh_token_rotation,
          idleSeconds: refreshTokenIdleSeconds(client, lifetimes),
          graceSeconds: lifetimes.refreshTokenGraceSeconds,
          confirmation,
          binding: refreshTokenBinding(client),
        },
        now,
      );
      const grant = liveGrant(outcome, request);
      const wanted = wantedOf(request, grant);
      const target = tokenTarget(wanted, registered);
      const authorizationDetails =
        grant.authorizationDetails === NO_DETAILS ? undefined : await grantedDetails(detailRequests, { asked, client, grant });
      const accessToken = await issueAccessToken({ ...wanted, grant, authorizationDetails, confirmation, target }, now);
      const token = credentials.refreshToken({ grantId: grant.id, generation: grant.generation });
      const { scope } = wanted;
      const idToken = await issueIdToken({ client, grant, scope, accessToken: accessToken.token, answers: 'refresh' }, now);
      return tokenResponse({ accessToken, refresh: { token, grant }, idToken }, now);
    },
  };

  /**
   * A request that will be refused must not use its token up, so what can refuse it is looked at before. That takes a read of the grant, which
   * is spared where nothing can: the request asks for nothing in particular, and neither the client nor a resource of its own has changed since the
   * grant was made.
   */
  async function refuseBeforeUse(
    request: TokenRequest,
    { grantId }: GrantCredential,
    { registered, asked }: { registered: RegisteredResources; asked: AuthorizationDetails | undefined },
  ): Promise<void> {
    const { parameters, client } = request;
    const asks = parameters.get('scope') !== undefined || parameters.all('resource').length > 0 || asked !== undefined;
    const since = birthOf(grantId) - CLOCK_DIFFERENCE_SECONDS;
    const mayHaveLost = client.changedAt !== undefined && client.changedAt >= since;
    if (asks || mayHaveLost || mayRefuse(client, registered, since)) {
      const grant = await grants.find(grantId);
      if (grant !== undefined && grant.clientId === client.id) {
        tokenTarget(wantedOf(request, grant), registered);
        refuseBeyondGrant(asked, client, grant);
      }
    }
    const seekingKey = answerEncryption.refuseWithoutKey(client, 'id_token');
    if (seekingKey !== undefined) {
      await seekingKey;
    }
  }

  function liveGrant(outcome: RotationOutcome, { client, requestId }: TokenRequest): Grant {
    switch (outcome.kind) {
      case 'rotated':
      case 'repeated':
        return outcome.grant;
      case 'caught_up':
        audit.record('refresh_token_ahead_of_database', {
          grantId: outcome.grant.id,
          recorded: outcome.recorded,
          clientId: client.id,
          requestId,
        });
        return outcome.grant;
      case 'reused':
        audit.record('refresh_token_reuse', { grantId: outcome.grant.id, clientId: client.id, userId: outcome.grant.user.id, requestId });
        throw refusal(outcome.detail);
      case 'refused':
        throw refusal(outcome.detail);
    }
  }
}

// Between the clocks of the nodes, and of the machine that the command line runs on.
const CLOCK_DIFFERENCE_SECONDS = 300;

/** What the request asks for, within the grant (RFC 6749 section 6; RFC 8707 section 2.2) and within what the client may still ask for. */
function wantedOf({ client, parameters }: TokenRequest, grant: Grant): WantedTarget {
  const remaining = remainingScope(client, grant);
  return { client, scope: requestedScope(parameters, remaining, remaining), resources: grantedResources(parameters, client, grant) };
}

/** One answer for every cause, so that a thief learns nothing from it. */
function refusal(detail: string): InvalidGrant {
  return new InvalidGrant(
    'The refresh token is not valid: it is unknown, expired, revoked, already used, issued to another client, or bound to another key. Let the user log in again.',
    detail,
  );
}
