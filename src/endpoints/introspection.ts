import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import { AUTHORIZATION_DETAILS, detailsMember } from '../authorization-details/authorization-detail.ts';
import { ofClient } from '../authorization-details/detail-requests.ts';
import { detailsAt } from '../authorization-details/locations.ts';
import type { AuthenticatedClient, ClientAuthenticator } from '../clients/authentication.ts';
import { mayUseGrantType } from '../clients/permissions.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint, ProtocolRequest } from '../core/endpoint.ts';
import { InvalidClient, InvalidRequest } from '../core/errors.ts';
import { refuseRepeats, required } from '../core/parameters.ts';
import { formatScope } from '../core/scope.ts';
import type { Grant } from '../grants/grant.ts';
import type { Grants } from '../grants/grants.ts';
import type { AccessTokenBacker } from '../tokens/access-token-backing.ts';
import { confirmationClaim, tokenTypeOf } from '../tokens/confirmation-claim.ts';
import type { GrantCredential, GrantCredentials } from '../tokens/grant-credentials.ts';
import { type AccessTokenReader, EXCHANGED_FROM } from '../tokens/own-access-tokens.ts';
import type { IntrospectionSigner } from '../tokens/signed-introspection.ts';
import { asksForSignedIntrospection, SIGNED_INTROSPECTION } from '../tokens/signed-introspection.ts';
import type { Subjects } from '../tokens/subjects.ts';

// RFC 7662 section 2.2: nothing more, so that a caller cannot tell a foreign token from a dead or an invented one.
const INACTIVE = { active: false };

// RFC 9701 section 5: "MUST refuse to serve introspection requests that don't authenticate the caller and return an HTTP status code 400".
const UNAUTHENTICATED = 'A signed answer is for callers that authenticate, and this request does not (RFC 9701 section 5).';

/**
 * RFC 7662: tells a client about its own tokens, and a resource server about the access tokens meant for it. What it says is what holds now:
 * a revoked grant, a disabled user or a deleted client make their tokens inactive at once. Signed where the caller asks for it (RFC 9701).
 */
export function introspectionEndpoint(rooms: {
  readonly issuer: string;
  readonly authenticateClient: ClientAuthenticator;
  readonly credentials: GrantCredentials;
  readonly grants: Grants;
  readonly readAccessToken: AccessTokenReader;
  readonly backingOf: AccessTokenBacker;
  readonly subjects: Subjects;
  /** undefined: answers are never signed (the feature is off), whatever a caller would rather have. */
  readonly signIntrospection: IntrospectionSigner | undefined;
  readonly clock: Clock;
}): Endpoint {
  const { issuer, authenticateClient, credentials, grants, readAccessToken, backingOf, subjects, signIntrospection, clock } = rooms;

  return {
    path: '/introspect',
    methods: ['POST'],
    metadataName: 'introspection_endpoint',
    countsCallers: true,
    async handle(request) {
      refuseRepeats(request.form);
      const isSigned = signIntrospection !== undefined && asksForSignedIntrospection(request.headers['accept']);
      if (isSigned && saysNothingOfItself(request)) {
        throw new InvalidRequest(UNAUTHENTICATED);
      }
      const caller = await authenticateClient(request);
      // RFC 7662 section 2.1: the endpoint "MUST also require some form of authorization", and a name alone is none.
      if (!caller.isConfidential) {
        throw isSigned ? new InvalidRequest(UNAUTHENTICATED) : new InvalidClient('a public client asked for introspection');
      }
      const token = required(request.form, 'token');
      const refreshToken = credentials.proveRefreshToken(token);
      const about = refreshToken === undefined ? await aboutAccessToken(token, caller) : await aboutRefreshToken(refreshToken, caller);
      const body = about ?? INACTIVE;
      return isSigned
        ? { kind: 'jwt', status: 200, contentType: SIGNED_INTROSPECTION, body: await signIntrospection(caller, body, clock.now()) }
        : { kind: 'json', status: 200, body };
    },
  };

  async function aboutRefreshToken({ grantId, generation }: GrantCredential, caller: AuthenticatedClient): Promise<object | undefined> {
    const grant = await grants.find(grantId);
    const isCallers = grant?.clientId === caller.id && mayUseGrantType(caller, 'refresh_token');
    if (!isCallers || generation !== grant.generation || !isLive(grant, clock.now())) {
      return undefined;
    }
    return {
      active: true,
      iss: issuer,
      sub: subjects.of(caller, grant.user.id),
      client_id: grant.clientId,
      scope: formatScope(grant.scope),
      ...detailsMember(ofClient(grant.authorizationDetails, caller)),
      iat: grant.generationAt,
      exp: grant.expiresAt,
      ...confirmationClaim(grant.confirmation),
    };
  }

  async function aboutAccessToken(token: string, caller: AuthenticatedClient): Promise<object | undefined> {
    const accessToken = await readAccessToken(token, clock.now());
    if (accessToken === undefined) {
      return undefined;
    }
    const isMeantFor = (name: string): boolean => accessToken.audience.includes(name);
    const mayKnow = accessToken.clientId === caller.id || isMeantFor(caller.id) || caller.metadata.protected_resources.some(isMeantFor);
    if (!mayKnow || (await backingOf(accessToken)) === undefined) {
      return undefined;
    }
    // The grant is ours to know, and what `status` refers to is said here.
    const { grant_id: _, status: _reference, [EXCHANGED_FROM]: _origins, [AUTHORIZATION_DETAILS]: details, ...claims } = accessToken.claims;
    const shown = detailsFor(caller, accessToken.clientId, details);
    return { ...claims, ...detailsMember(shown), active: true, token_type: tokenTypeOf(claims) };
  }
}

/** RFC 9396 section 9.2: a resource server is shown those that are for it; what a client may do elsewhere it need not know (section 13). */
function detailsFor(caller: AuthenticatedClient, clientId: string, details: unknown): AuthorizationDetails | undefined {
  // The claim is one that this server signed: it has the shape it was given.
  const all = details as AuthorizationDetails | undefined;
  return all === undefined || caller.id === clientId ? all : detailsAt(all, [caller.id, ...caller.metadata.protected_resources]);
}

function saysNothingOfItself({ headers, form }: ProtocolRequest): boolean {
  return headers['authorization'] === undefined && form.get('client_id') === undefined && form.get('client_assertion') === undefined;
}

function isLive(grant: Grant, now: number): boolean {
  return grant.revokedAt === undefined && !grant.user.disabled && now < grant.expiresAt;
}
