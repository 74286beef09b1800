import { createHash } from 'node:crypto';
import type { DetailRequests } from '../authorization-details/detail-requests.ts';
import type { AnswerEncryption } from '../clients/answer-encryption.ts';
import { mayUseGrantType } from '../clients/permissions.ts';
import type { Lifetimes } from '../config/config.ts';
import type { AuditTrail } from '../core/audit.ts';
import { InvalidGrant, InvalidRequest } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { required } from '../core/parameters.ts';
import { equalInConstantTime } from '../core/secrets.ts';
import { spendCode } from '../grants/code.ts';
import type { CodeBinding, Grant } from '../grants/grant.ts';
import type { Grants } from '../grants/grants.ts';
import type { Resources } from '../resources/registered-resources.ts';
import { tokenTarget, type WantedTarget } from '../resources/token-target.ts';
import type { AccessTokenIssuer } from '../tokens/access-token.ts';
import type { GrantCredentials } from '../tokens/grant-credentials.ts';
import type { IdTokenIssuer } from '../tokens/id-token.ts';
import { accessTokenSeconds, refreshTokenIdleSeconds } from '../tokens/lifetimes.ts';
import { tokenResponse } from '../tokens/token-response.ts';
import type { GrantType, TokenRequest } from './grant-type.ts';
import { grantedResources, remainingScope } from './granted.ts';
import { grantedDetails, namesDetails, refuseBeyondGrant } from './granted-details.ts';
import { refreshTokenBinding } from './refresh-token-binding.ts';

/** RFC 6749 section 4.1.3 with PKCE (RFC 7636 section 4.6). */
export function authorizationCode(rooms: {
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
    type: 'authorization_code',
    async exchange(request) {
      const { client, parameters, confirmation, now } = request;
      const presented = credentials.proveAuthorizationCode(required(parameters, 'code'));
      if (presented === undefined) {
        throw refusal('the code was not made here');
      }
      const verifier = codeVerifier(parameters);
      const asked = namesDetails(parameters) ? await detailRequests.requested(parameters, client) : undefined;
      const registered = await resources.registered();
      await answerEncryption.refuseWithoutKey(client, 'id_token');
      const refreshes = mayUseGrantType(client, 'refresh_token');
      const outcome = await spendCode(
        grants,
        {
          grantId: presented.grantId,
          clientId: client.id,
          // Without a refresh token the grant lasts as long as its one access token.
          lifetimeSeconds: refreshes ? refreshTokenIdleSeconds(client, lifetimes) : accessTokenSeconds(client, lifetimes),
          confirmation,
          binding: refreshTokenBinding(client),
          check(grant, binding) {
            refuseOtherRedirectUri(parameters, binding);
            refuseOtherVerifier(verifier, binding);
            tokenTarget(wantedOf(request, grant), registered);
            refuseBeyondGrant(asked, client, grant);
          },
        },
        now,
      );
      if (outcome.kind === 'reused') {
        const { id: grantId, user } = outcome.grant;
        audit.record('authorization_code_reuse', { grantId, clientId: client.id, userId: user.id, requestId: request.requestId });
        throw refusal('the code had been used');
      }
      if (outcome.kind === 'refused') {
        throw refusal(outcome.detail);
      }
      const { grant } = outcome;
      const wanted = wantedOf(request, grant);
      const target = tokenTarget(wanted, registered);
      const authorizationDetails = await grantedDetails(detailRequests, { asked, client, grant });
      const accessToken = await issueAccessToken({ ...wanted, grant, authorizationDetails, confirmation, target }, now);
      const refresh = refreshes
        ? { token: credentials.refreshToken({ grantId: grant.id, generation: grant.generation }), grant }
        : undefined;
      const { scope } = wanted;
      const idToken = await issueIdToken({ client, grant, scope, accessToken: accessToken.token, answers: 'authentication' }, now);
      return tokenResponse({ accessToken, refresh, idToken }, now);
    },
  };
}

/** What the grant's first access token is asked for: all of its scope, and the resources that the request names out of its own. */
function wantedOf({ client, parameters }: TokenRequest, grant: Grant): WantedTarget {
  return { client, resources: grantedResources(parameters, client, grant), scope: remainingScope(client, grant) };
}

// RFC 7636 section 4.1: 43 to 128 unreserved characters.
const CODE_VERIFIER = /^[A-Za-z0-9\-._~]{43,128}$/;

function codeVerifier(parameters: Parameters): string | undefined {
  const verifier = parameters.get('code_verifier');
  if (verifier !== undefined && !CODE_VERIFIER.test(verifier)) {
    throw new InvalidRequest('The code_verifier must be 43 to 128 characters out of A-Z a-z 0-9 - . _ ~ (RFC 7636 section 4.1).');
  }
  return verifier;
}

/** RFC 7636 section 4.6; and no verifier where there was no challenge, which would be a downgrade (RFC 9700 section 2.1.1). */
function refuseOtherVerifier(verifier: string | undefined, { codeChallenge }: CodeBinding): void {
  if (codeChallenge === undefined && verifier === undefined) {
    return;
  }
  if (codeChallenge === undefined || verifier === undefined) {
    throw refusal(codeChallenge === undefined ? 'a code_verifier, but no code_challenge before' : 'no code_verifier');
  }
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  if (!equalInConstantTime(challenge, codeChallenge)) {
    throw refusal('the code_verifier does not fit the code_challenge');
  }
}

/** RFC 6749 section 4.1.3: identical, and present if it was present before. A client that sends it all the same must send the right one. */
function refuseOtherRedirectUri(parameters: Parameters, binding: CodeBinding): void {
  const redirectUri = parameters.get('redirect_uri');
  if (redirectUri === undefined ? binding.redirectUriGiven : redirectUri !== binding.redirectUri) {
    throw refusal(redirectUri === undefined ? 'no redirect_uri' : 'another redirect_uri');
  }
}

/** One answer for every cause, so that a thief learns nothing from it. */
function refusal(detail: string): InvalidGrant {
  return new InvalidGrant(
    'The authorization code is not valid: it is unknown, expired, already used, issued to another client, bound to another key, or the redirect_uri or code_verifier does not fit it.',
    detail,
  );
}
