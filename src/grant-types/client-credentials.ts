import { openIdScopes } from '../accounts/standard-claims.ts';
import type { DetailRequests } from '../authorization-details/detail-requests.ts';
import { requestedResources, requestedScope } from '../clients/permissions.ts';
import { UnauthorizedClient } from '../core/errors.ts';
import type { AccessTokenIssuer } from '../tokens/access-token.ts';
import { tokenResponse } from '../tokens/token-response.ts';
import type { GrantType } from './grant-type.ts';
import { namesDetails } from './granted-details.ts';

/** RFC 6749 section 4.4: a client acts for itself. No database is asked: the client is in memory, and nothing is stored for the token. */
export function clientCredentials(rooms: {
  readonly issueAccessToken: AccessTokenIssuer;
  readonly detailRequests: DetailRequests;
}): GrantType {
  return {
    type: 'client_credentials',
    async exchange({ client, parameters, confirmation, now }) {
      // Registration refuses it too. Here as well, because a token for whoever knows a name would be for everyone.
      if (!client.isConfidential) {
        throw new UnauthorizedClient('A public client cannot use client_credentials (RFC 6749 section 4.4).');
      }
      // What OpenID Connect's scope values give is about a user, and here is none.
      const ownScope = client.scope.filter((value) => !openIdScopes.includes(value));
      const scope = requestedScope(parameters, ownScope, ownScope);
      const resources = requestedResources(parameters, client.metadata.allowed_resources);
      const authorizationDetails = namesDetails(parameters) ? await rooms.detailRequests.requested(parameters, client) : undefined;
      const accessToken = await rooms.issueAccessToken(
        { client, grant: undefined, scope, resources, authorizationDetails, confirmation },
        now,
      );
      // RFC 6749 section 4.4.3: "A refresh token SHOULD NOT be included."
      return tokenResponse({ accessToken }, now);
    },
  };
}
