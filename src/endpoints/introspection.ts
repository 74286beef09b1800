import type { AuthenticatedClient, ClientAuthenticator } from '../clients/authentication.ts';
import type { Clients } from '../clients/clients.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { InvalidClient } from '../core/errors.ts';
import { refuseRepeats, required } from '../core/parameters.ts';
import { formatScope } from '../core/scope.ts';
import type { Grant } from '../grants/grant.ts';
import type { Grants } from '../grants/grants.ts';
import type { GrantCredential, GrantCredentials } from '../tokens/grant-credentials.ts';
import type { AccessTokenReader } from '../tokens/own-access-tokens.ts';
import type { RevokedAccessTokens } from '../tokens/revoked-access-tokens.ts';

// RFC 7662 section 2.2: nothing more, so that a caller cannot tell a foreign token from a dead or an invented one.
const INACTIVE = { active: false };

/**
 * RFC 7662: tells a client about its own tokens, and a resource server about the access tokens meant for it. What it says is what holds now:
 * a revoked grant, a disabled user or a deleted client make their tokens inactive at once.
 */
export function introspectionEndpoint(rooms: {
  readonly issuer: string;
  readonly authenticateClient: ClientAuthenticator;
  readonly clients: Clients;
  readonly credentials: GrantCredentials;
  readonly grants: Grants;
  readonly readAccessToken: AccessTokenReader;
  readonly revokedAccessTokens: RevokedAccessTokens;
  readonly clock: Clock;
}): Endpoint {
  const { issuer, authenticateClient, clients, credentials, grants, readAccessToken, revokedAccessTokens, clock } = rooms;

  return {
    path: '/introspect',
    methods: ['POST'],
    metadataName: 'introspection_endpoint',
    async handle(request) {
      refuseRepeats(request.form);
      const caller = await authenticateClient(request);
      // RFC 7662 section 2.1: the endpoint "MUST also require some form of authorization", and a name alone is none.
      if (!caller.isConfidential) {
        throw new InvalidClient('a public client asked for introspection');
      }
      const token = required(request.form, 'token');
      const refreshToken = credentials.proveRefreshToken(token);
      const body = refreshToken === undefined ? await aboutAccessToken(token, caller) : await aboutRefreshToken(refreshToken, caller);
      return { kind: 'json', status: 200, body: body ?? INACTIVE };
    },
  };

  async function aboutRefreshToken({ grantId, generation }: GrantCredential, caller: AuthenticatedClient): Promise<object | undefined> {
    const grant = await grants.find(grantId);
    if (grant === undefined || grant.clientId !== caller.id || generation !== grant.generation || !isLive(grant, clock.now())) {
      return undefined;
    }
    return {
      active: true,
      iss: issuer,
      sub: grant.user.id,
      client_id: grant.clientId,
      scope: formatScope(grant.scope),
      iat: grant.generationAt,
      exp: grant.expiresAt,
    };
  }

  async function aboutAccessToken(token: string, caller: AuthenticatedClient): Promise<object | undefined> {
    const accessToken = await readAccessToken(token, clock.now());
    if (accessToken === undefined) {
      return undefined;
    }
    const isMeantFor = (name: string): boolean => accessToken.audience.includes(name);
    const mayKnow = accessToken.clientId === caller.id || isMeantFor(caller.id) || caller.metadata.protected_resources.some(isMeantFor);
    if (!mayKnow || (await clients.find(accessToken.clientId)) === undefined || (await revokedAccessTokens.has(accessToken.jti))) {
      return undefined;
    }
    if (accessToken.grantId !== undefined) {
      const grant = await grants.find(accessToken.grantId);
      if (grant === undefined || grant.revokedAt !== undefined || grant.user.disabled) {
        return undefined;
      }
    }
    const { grant_id: _, ...claims } = accessToken.claims;
    return { ...claims, active: true, token_type: 'Bearer' };
  }
}

function isLive(grant: Grant, now: number): boolean {
  return grant.revokedAt === undefined && !grant.user.disabled && now < grant.expiresAt;
}
