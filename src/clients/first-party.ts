import { UnauthorizedClient } from '../core/errors.ts';
import type { AuthenticatedClient } from './authentication.ts';
import type { ClientMetadata } from './client-metadata.ts';
import { isFapi2 } from './fapi2-profile.ts';

/** @returns what is wrong with the metadata, one sentence that begins with the member's name. */
export function firstPartyProblem(metadata: Pick<ClientMetadata, 'first_party' | 'grant_types' | 'profile'>): string | undefined {
  if (metadata.first_party !== true) {
    return undefined;
  }
  if (!metadata.grant_types.includes('authorization_code')) {
    return 'first_party: needs the grant type authorization_code: what the login in the client ends with is a code.';
  }
  // FAPI 2.0 Security Profile section 5.3.2.2: the user logs in at the server, by a pushed request.
  return metadata.profile === 'fapi2' ? 'first_party: must not be true with the profile fapi2.' : undefined;
}

/**
 * Section 5: "the Authorization Server MUST verify the "first-partyness" of the client before continuing with the authentication flow".
 * @throws UnauthorizedClient
 */
export function refuseThirdParty(client: AuthenticatedClient): void {
  if (client.metadata.first_party !== true || isFapi2(client)) {
    throw new UnauthorizedClient('The client is not registered as first_party: its users log in at the authorization endpoint.');
  }
}
