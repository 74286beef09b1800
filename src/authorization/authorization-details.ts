import type { DetailRequests } from '../authorization-details/detail-requests.ts';
import type { AuthorizationRule } from './authorization.ts';

/**
 * RFC 9396 sections 3 and 5: what is asked for in detail, beside the scope and independent of it (section 3.1). `resource` changes nothing of it
 * (section 3.2): it decides later which of the details are in a token.
 */
export function authorizationDetailsRule(detailRequests: Pick<DetailRequests, 'requested'>): AuthorizationRule {
  return {
    name: 'authorization_details',
    async apply({ client, parameters }) {
      const authorizationDetails = await detailRequests.requested(parameters, client);
      return authorizationDetails === undefined ? {} : { authorizationDetails };
    },
  };
}
