import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import { AUTHORIZATION_DETAILS } from '../authorization-details/authorization-detail.ts';
import type { DetailRequests } from '../authorization-details/detail-requests.ts';
import { ofClient } from '../authorization-details/detail-requests.ts';
import { isWithinDetails } from '../authorization-details/narrower.ts';
import type { Client } from '../clients/client.ts';
import { InvalidAuthorizationDetails } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import type { Grant } from '../grants/grant.ts';

/** Whether a token request names details, which most do not: they need not be looked for then. */
export function namesDetails(parameters: Parameters): boolean {
  return parameters.get(AUTHORIZATION_DETAILS) !== undefined;
}

/**
 * Looks whether a token request asks for no more than was granted (RFC 9396 section 6), before anything is used up.
 * @param asked undefined: for all of it.
 * @throws InvalidAuthorizationDetails when it asks for more, or nothing at all is left: neither scope nor details.
 */
export function refuseBeyondGrant(asked: AuthorizationDetails | undefined, client: Client, grant: Grant): void {
  const { authorizationDetails: granted } = grant;
  if (asked === undefined && granted.length === 0) {
    return;
  }
  const remaining = ofClient(granted, client);
  if (asked !== undefined && !isWithinDetails(asked, remaining)) {
    throw new InvalidAuthorizationDetails(
      'The authorization_details are more than was granted: each must be one of those granted, or that with fewer locations, actions, datatypes or privileges.',
    );
  }
  if (remaining.length === 0 && grant.scope.length === 0) {
    // Such a token would look like one with no limits (as for `remainingScope`).
    throw new InvalidAuthorizationDetails('The client may no longer ask for any authorization details that it was granted.');
  }
}

/**
 * The details that an access token may carry: those asked for, or all that were granted, as far as their types are still there.
 * @param asked passed by `refuseBeyondGrant`.
 */
export async function grantedDetails(
  detailRequests: Pick<DetailRequests, 'remaining'>,
  { asked, client, grant }: { asked: AuthorizationDetails | undefined; client: Client; grant: Grant },
): Promise<AuthorizationDetails | undefined> {
  const details = asked ?? grant.authorizationDetails;
  return details.length === 0 ? undefined : detailRequests.remaining(details, client);
}
