import type { AuthenticatedClient, ClientAuthenticator } from '../clients/authentication.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { InvalidGrant } from '../core/errors.ts';
import { refuseRepeats, required } from '../core/parameters.ts';
import type { Grants } from '../grants/grants.ts';
import type { GrantCredential, GrantCredentials } from '../tokens/grant-credentials.ts';
import type { AccessTokenReader, OwnAccessToken } from '../tokens/own-access-tokens.ts';
import type { RevokedAccessTokens } from '../tokens/revoked-access-tokens.ts';
import type { SenderConstraint } from '../tokens/sender-constraint.ts';
import { provenKey } from '../tokens/sender-constraint.ts';

/**
 * RFC 7009. A refresh token ends its grant, and with it all that came of it; an access token ends without its grant. A token that is unknown, expired or
 * revoked already counts as done (section 2.2).
 */
export function revocationEndpoint(rooms: {
  readonly authenticateClient: ClientAuthenticator;
  readonly senderConstraints: readonly SenderConstraint[];
  readonly credentials: GrantCredentials;
  readonly grants: Grants;
  readonly readAccessToken: AccessTokenReader;
  readonly revokedAccessTokens: RevokedAccessTokens;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): Endpoint {
  const { authenticateClient, senderConstraints, credentials, grants, readAccessToken, revokedAccessTokens, clock, audit } = rooms;

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
      // Without a proof it does as well, and with one by another key: a token that leaked should end, whoever asks for it and however. But a
      // proof that is wrong is told, or its client would find out elsewhere.
      const proven = await provenKey(senderConstraints, request, '/revoke', client);
      const refreshToken = credentials.proveRefreshToken(token);
      await (refreshToken === undefined
        ? revokeAccessToken(token, client, request.requestId)
        : revokeGrant(refreshToken, client, request.requestId));
      // RFC 7009 section 2.2 leaves the body open; some clients stumble over anything that is not JSON.
      return { kind: 'json', status: 200, body: {}, headers: proven?.headers ?? {} };
    },
  };

  async function revokeGrant({ grantId }: GrantCredential, client: AuthenticatedClient, requestId: string): Promise<void> {
    const grant = await grants.find(grantId);
    if (grant === undefined) {
      return;
    }
    refuseOther(client.id, grant.clientId);
    if (await grants.revoke(grant.id, 'client_request', clock.now())) {
      audit.record('grant_revoked', { grantId: grant.id, clientId: client.id, reason: 'client_request', requestId });
    }
  }

  async function revokeAccessToken(token: string, client: AuthenticatedClient, requestId: string): Promise<void> {
    const accessToken = await readAccessToken(token, clock.now());
    if (accessToken === undefined) {
      return;
    }
    refuseOther(client.id, accessToken.clientId);
    await endAccessToken(accessToken);
    audit.record('access_token_revoked', { jti: accessToken.jti, clientId: client.id, requestId });
  }

  /** The tokens of a grant share one entry of the status lists, and end together (docs/adr/0008); the refresh token goes on. */
  async function endAccessToken({ jti, expiresAt, grantId, statusEntry }: OwnAccessToken): Promise<void> {
    if (grantId !== undefined && statusEntry !== undefined) {
      return grants.renewStatusEntry(grantId, statusEntry);
    }
    return revokedAccessTokens.add(jti, expiresAt, statusEntry === undefined ? undefined : { entry: statusEntry, now: clock.now() });
  }
}

/** RFC 7009 section 2.1: only the client a token was issued to may revoke it, and is told. */
function refuseOther(clientId: string, owner: string): void {
  if (clientId !== owner) {
    throw new InvalidGrant('The token was issued to another client.', `the token is client ${owner}'s`);
  }
}
