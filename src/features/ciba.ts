import { backchannelRequestReader } from '../authorization/backchannel-request-object.ts';
import { DELIVERY_MODES } from '../clients/backchannel-metadata.ts';
import { PRIVATE_KEY_ALGORITHMS } from '../clients/client-algorithms.ts';
import { hintedUserFinder } from '../deferred-requests/hinted-user.ts';
import { pingDelivery } from '../deferred-requests/ping-delivery.ts';
import { approvalLogin } from '../endpoints/approval-login.ts';
import { approvalsEndpoint } from '../endpoints/approvals.ts';
import { backchannelAuthenticationEndpoint } from '../endpoints/backchannel-authentication.ts';
import type { Feature } from '../feature.ts';
import { ciba } from '../grant-types/ciba.ts';
import type { Rooms } from '../rooms.ts';

/** Where clients ask. */
export const BACKCHANNEL_PATH = '/backchannel-authentication';

/** Off unless it is asked for: with it clients can find out who is a user here, and can ask users for something at any time. */
export function cibaFeature(rooms: Rooms): Feature {
  return {
    specification: 'OpenID Connect Client-Initiated Backchannel Authentication Flow Core 1.0 (CIBA), poll and ping',
    name: 'ciba',
    grantTypes: [ciba(rooms)],
    deliveryKinds: [pingDelivery({ ...rooms, secrets: rooms.keys.secrets })],
    endpoints: (assembled) => [
      backchannelAuthenticationEndpoint({
        ...rooms,
        ...assembled,
        path: BACKCHANNEL_PATH,
        readRequest: backchannelRequestReader(rooms),
        findUser: hintedUserFinder(rooms),
      }),
      approvalsEndpoint({ ...rooms, approvalLogin: approvalLogin(rooms) }),
    ],
    metadata: {
      backchannel_token_delivery_modes_supported: DELIVERY_MODES,
      backchannel_authentication_request_signing_alg_values_supported: PRIVATE_KEY_ALGORITHMS,
      backchannel_user_code_parameter_supported: false,
    },
  };
}
