import type { ClientAuthenticator } from '../clients/authentication.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint, ProtocolResponse } from '../core/endpoint.ts';
import { InvalidGrant } from '../core/errors.ts';
import { refuseRepeats, required } from '../core/parameters.ts';
import type { Grants } from '../grants/grants.ts';
import type { GrantCredentials } from '../tokens/grant-credentials.ts';
import type { AccessTokenReader } from '../tokens/own-access-tokens.ts';
import type { RevokedAccessTokens } from '../tokens/revoked-access-tokens.ts';

// RFC 7009 section 2.2 leaves the body open; some clients stumble over anything that is not JSON.
const DONE: ProtocolResponse = { kind: 'json', status: 200, body: {} };

/**
 * RFC 7009. A refresh token ends its grant, and with it all that came of it; an access token ends alone. A token that is unknown, expired or
 * revoked already counts as done (section 2.2).
 */
export function revocationEndpoint(rooms: {
  readonly authenticateClient: ClientAuthenticator;
  readonly credentials: GrantCredentials;
  readonly grants: Grants;
  readonly readAccessToken: AccessTokenReader;
  readonly revokedAccessTokens: RevokedAccessTokens;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): Endpoint {
  const { authenticateClient, credentials, grants, readAccessToken, revokedAccessTokens, clock, audit } = rooms;

  return {
    path: '/revoke',
    methods: ['POST'],
    metadataName: 'revocation_endpoint',
    crossOrigin: true,
    async handle(request) {
      refuseRepeats(request.form);
      const client = await authenticateClient(request);
      // token_type_hint is not needed: a token tells its kind by itself (section 2.1 lets the server ignore the hint).
      const token = required(request.form, 'token');
      const { requestId } = request;
      const refreshToken = credentials.proveRefreshToken(token);
      if (refreshToken !== undefined) {
        const grant = await grants.find(refreshToken.grantId);
        if (grant === undefined) {
          return DONE;
        }
        refuseOther(client.id, grant.clientId);
        if (await grants.revoke(grant.id, 'client_request', clock.now())) {
          audit.record('grant_revoked', { grantId: grant.id, clientId: client.id, reason: 'client_request', requestId });
        }
        return DONE;
      }
      const accessToken = await readAccessToken(token, clock.now());
      if (accessToken === undefined) {
        return DONE;
      }
      refuseOther(client.id, accessToken.clientId);
      await revokedAccessTokens.add(accessToken.jti, accessToken.expiresAt);
      audit.record('access_token_revoked', { jti: accessToken.jti, clientId: client.id, requestId });
      return DONE;
    },
  };
}

/** RFC 7009 section 2.1: only the client a token was issued to may revoke it, and is told. */
function refuseOther(clientId: string, owner: string): void {
  if (clientId !== owner) {
    throw new InvalidGrant('The token was issued to another client.', `the token is client ${owner}'s`);
  }
}
