import type { Client } from '../clients/client.ts';
import { requestedResources, requestedScope } from '../clients/permissions.ts';
import type { Lifetimes } from '../config/config.ts';
import type { AuditTrail } from '../core/audit.ts';
import { InvalidAuthorizationDetails, InvalidGrant, InvalidScope, InvalidTarget, UnauthorizedClient } from '../core/errors.ts';
import { newIdentifier } from '../core/identifiers.ts';
import type { Parameters } from '../core/parameters.ts';
import { required } from '../core/parameters.ts';
import { parseScope, type Scope } from '../core/scope.ts';
import type { Grants, NewGrant } from '../grants/grants.ts';
import type { Resources } from '../resources/registered-resources.ts';
import { tokenTarget } from '../resources/token-target.ts';
import type { AccessTokenIssuer } from '../tokens/access-token.ts';
import { accessTokenSeconds } from '../tokens/lifetimes.ts';
import { tokenResponse } from '../tokens/token-response.ts';
import type { GrantAssertionReader } from '../trusted-issuers/grant-assertions.ts';
import type { TrustedIssuerRecord } from '../trusted-issuers/trusted-issuer.ts';
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
  readonly lifetimes: Lifetimes;
  readonly audit: AuditTrail;
}): GrantType {
  const { readAssertion, grants, issueAccessToken, resources, lifetimes, audit } = rooms;

  return {
    type: JWT_BEARER,
    async exchange({ client, parameters, confirmation, now, requestId }) {
      // Registration refuses it too. Here as well, because whoever came by an assertion could use it under a name that everybody knows.
      if (!client.isConfidential) {
        throw new UnauthorizedClient(`A public client cannot use ${JWT_BEARER}: it has to authenticate.`);
      }
      if (namesDetails(parameters)) {
        // Not supported: RFC 9396 with this grant. Ignored, it would give a token without the limits that were asked for.
        throw new InvalidAuthorizationDetails('An assertion is no grant for authorization_details here: ask for scope.');
      }
      const { issuer, claims, user, useUp } = await readAssertion(required(parameters, 'assertion'), client, now);
      const wanted = { client, scope: grantedScope(parameters, client, issuer), resources: grantedTarget(parameters, client, issuer) };
      const target = tokenTarget(wanted, await resources.registered());
      await useUp();
      const seconds = accessTokenSeconds(client, lifetimes, target.registrations);
      const grant = newGrant({ clientId: client.id, userId: user.id, ...wanted, createdAt: now, expiresAt: now + seconds });
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
      return tokenResponse({ accessToken: await issueAccessToken({ ...wanted, grant: made, confirmation, target }, now) }, now);
    },
  };
}

/** What a request asks for, or all it may: the client's scope as far as the policy for the issuer goes. */
function grantedScope(parameters: Parameters, client: Client, { metadata }: TrustedIssuerRecord): Scope {
  const most = parseScope(metadata.scope);
  const allowed = client.scope.filter((value) => most.includes(value));
  if (allowed.length === 0 && client.scope.length + most.length > 0) {
    // A token without scope would look like one with all of it (RFC 6749 section 5.1).
    throw new InvalidScope('The client has no scope value that assertions of this issuer are good for.');
  }
  return requestedScope(parameters, allowed, allowed);
}

/** The resources it may be for: the client's, as far as the policy for the issuer goes. */
function grantedTarget(parameters: Parameters, { metadata: own }: Client, { metadata: policy }: TrustedIssuerRecord): readonly string[] {
  const most = policy.allowed_resources;
  const allowed = most === undefined ? own.allowed_resources : own.allowed_resources.filter((resource) => most.includes(resource));
  const named = requestedResources(parameters, allowed);
  if (named.length > 0 || most === undefined) {
    return named;
  }
  const [first] = allowed;
  if (first === undefined) {
    throw new InvalidTarget('The client may use no resource that assertions of this issuer are good for (RFC 8707 section 2).');
  }
  return [first];
}

/** A grant that has neither code nor refresh token, of a user who did not log in here for it. */
function newGrant(about: Pick<NewGrant, 'clientId' | 'userId' | 'scope' | 'resources' | 'createdAt' | 'expiresAt'>): NewGrant {
  return {
    id: newIdentifier(),
    clientId: about.clientId,
    userId: about.userId,
    scope: about.scope,
    resources: about.resources,
    authentication: { authTime: about.createdAt, methods: [], sessionId: newIdentifier() },
    code: { redirectUri: '', redirectUriGiven: false, codeChallenge: undefined },
    createdAt: about.createdAt,
    expiresAt: about.expiresAt,
    absoluteExpiresAt: about.expiresAt,
    onlyForEnabledUser: true,
    withoutCode: true,
  };
}
