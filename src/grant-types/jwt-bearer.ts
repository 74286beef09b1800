import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import type { DetailRequests } from '../authorization-details/detail-requests.ts';
import type { Client } from '../clients/client.ts';
import type { Lifetimes } from '../config/config.ts';
import type { AuditTrail } from '../core/audit.ts';
import { InvalidAuthorizationDetails, InvalidGrant, UnauthorizedClient } from '../core/errors.ts';
import { newIdentifier } from '../core/identifiers.ts';
import { required } from '../core/parameters.ts';
import type { Confirmation } from '../grants/grant.ts';
import type { Grants, NewGrant } from '../grants/grants.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { Resources } from '../resources/registered-resources.ts';
import { tokenTarget } from '../resources/token-target.ts';
import type { AccessTokenIssuer } from '../tokens/access-token.ts';
import { accessTokenSeconds } from '../tokens/lifetimes.ts';
import { resourceMember, tokenResponse } from '../tokens/token-response.ts';
import type { GrantAssertionReader } from '../trusted-issuers/grant-assertions.ts';
import { grantedScope, grantedTarget } from './assertion-policy.ts';
import type { GrantType } from './grant-type.ts';
import { namesDetails } from './granted-details.ts';

/** The name of the grant type (RFC 7523 section 2.1). */
export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

/**
 * RFC 7523 section 2.1: an assertion of a trusted issuer about a user is the authorization grant. The operator's policy for that issuer stands for the
 * user's consent. There is a record of the grant like of any other, so that it is listed, revoked, and ends with its user; it lasts as
 * long as its one access token.
 */
export function jwtBearer(rooms: {
  readonly readAssertion: GrantAssertionReader;
  readonly grants: Pick<Grants, 'create' | 'find'>;
  readonly issueAccessToken: AccessTokenIssuer;
  readonly resources: Pick<Resources, 'registered'>;
  readonly detailRequests: Pick<DetailRequests, 'checked'>;
  readonly limits: Pick<RequestLimits, 'user'>;
  readonly lifetimes: Lifetimes;
  readonly audit: AuditTrail;
}): GrantType {
  const { readAssertion, grants, issueAccessToken, resources, detailRequests, limits, lifetimes, audit } = rooms;

  return {
    type: JWT_BEARER,
    async exchange({ client, parameters, confirmation, now, requestId, counted }) {
      // Registration refuses it too. Here as well, because whoever came by an assertion could use it under a name that everybody knows.
      if (!client.isConfidential) {
        throw new UnauthorizedClient(`A public client cannot use ${JWT_BEARER}: it has to authenticate.`);
      }
      if (namesDetails(parameters)) {
        // Not supported: RFC 9396 with this grant. Ignored, it would give a token without the limits that were asked for.
        throw new InvalidAuthorizationDetails('An assertion is no grant for authorization_details here: ask for scope.');
      }
      const { issuer, claims, user, limits: own, useUp } = await readAssertion(required(parameters, 'assertion'), client, now);
      limits.user(user.id, counted);
      refuseOtherKey(own.keyThumbprint, confirmation);
      const bounds = { client, issuer, limits: own };
      const wanted = { client, scope: grantedScope(parameters, bounds), resources: grantedTarget(parameters, bounds) };
      const authorizationDetails = await grantedDetailsOf(own.authorizationDetails, client);
      const target = tokenTarget(wanted, await resources.registered());
      await useUp();
      const seconds = accessTokenSeconds(client, lifetimes, target.registrations);
      const about = { clientId: client.id, userId: user.id, ...wanted, authorizationDetails };
      const grant = newGrant({ ...about, createdAt: now, expiresAt: now + seconds });
      const isMade = await grants.create(grant);
      const made = isMade ? await grants.find(grant.id) : undefined;
      if (made === undefined) {
        throw new InvalidGrant('The assertion is not valid: its subject is no user here.', 'the user was disabled at this moment');
      }
      audit.record('grant_created', {
        grantId: grant.id,
        clientId: client.id,
        userId: user.id,
        issuer: issuer.identifier,
        assertionId: String(claims['jti']),
        requestId,
      });
      // RFC 7521 section 4.1: a refresh token is not given; the assertion's issuer decides each time anew.
      const accessToken = await issueAccessToken({ ...wanted, grant: made, authorizationDetails, confirmation, target }, now);
      // Also where the policy has chosen it, or the request: the client may have named another, or none.
      return { ...tokenResponse({ accessToken }, now), ...resourceMember(wanted.resources.length === 0 ? [] : target.resources) };
    },
  };

  /** What the assertion allows in detail. @throws InvalidAuthorizationDetails when it is not known here: left out, the token would be good for more. */
  async function grantedDetailsOf(text: string | undefined, client: Client): Promise<AuthorizationDetails | undefined> {
    const details = text === undefined ? undefined : await detailRequests.checked(text, client);
    if (text !== undefined && details === undefined) {
      throw new InvalidAuthorizationDetails('The assertion has authorization_details, which are not supported here.');
    }
    return details;
  }
}

/** RFC 9449 section 6.1: an assertion that is bound to a key is of use to whoever proves to hold it. */
function refuseOtherKey(thumbprint: string | undefined, confirmation: Confirmation | undefined): void {
  if (thumbprint !== undefined && (confirmation?.method !== 'jkt' || confirmation.thumbprint !== thumbprint)) {
    throw new InvalidGrant('The assertion is not valid: it is bound to a key that the request does not prove to hold by DPoP (RFC 9449).');
  }
}

/** A grant that has neither code nor refresh token, of a user who did not log in here for it. */
function newGrant(
  about: Pick<NewGrant, 'clientId' | 'userId' | 'scope' | 'resources' | 'authorizationDetails' | 'createdAt' | 'expiresAt'>,
): NewGrant {
  return {
    id: newIdentifier(),
    clientId: about.clientId,
    userId: about.userId,
    scope: about.scope,
    resources: about.resources,
    authorizationDetails: about.authorizationDetails,
    authentication: { authTime: about.createdAt, methods: [], sessionId: newIdentifier() },
    code: { redirectUri: '', redirectUriGiven: false, codeChallenge: undefined },
    createdAt: about.createdAt,
    expiresAt: about.expiresAt,
    absoluteExpiresAt: about.expiresAt,
    onlyForEnabledUser: true,
    withoutCode: true,
  };
}
