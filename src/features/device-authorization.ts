import { deviceAuthorizationEndpoint } from '../endpoints/device-authorization.ts';
import { deviceQrEndpoints } from '../endpoints/device-qr.ts';
import { deviceVerificationEndpoint } from '../endpoints/device-verification.ts';
import type { Feature } from '../feature.ts';
import { deviceCode } from '../grant-types/device-code.ts';
import type { Rooms } from '../rooms.ts';

/** No client has it that is not registered for it: RFC 10027 wants risks weighed first. */
export function deviceAuthorizationFeature(rooms: Rooms): Feature {
  return {
    specification: 'RFC 8628: device authorization grant, with RFC 10027: security of cross-device flows',
    name: 'device-authorization',
    grantTypes: [deviceCode(rooms)],
    endpoints: (assembled) => [
      deviceAuthorizationEndpoint({ ...rooms, ...assembled }),
      deviceVerificationEndpoint({ ...rooms, ...assembled }),
      ...deviceQrEndpoints(rooms),
    ],
  };
}
