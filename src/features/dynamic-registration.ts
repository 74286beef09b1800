import { clientConfigurationEndpoint } from '../endpoints/client-configuration.ts';
import { registrationEndpoint } from '../endpoints/registration.ts';
import type { Feature } from '../feature.ts';
import type { Rooms } from '../rooms.ts';

/** Off by default: an operator decides whether others may add clients. */
export function dynamicRegistrationFeature(rooms: Rooms): Feature {
  return {
    specification: 'RFC 7591: dynamic client registration, RFC 7592: its management, OpenID Connect Dynamic Client Registration 1.0',
    name: 'dynamic-registration',
    endpoints: () => [registrationEndpoint(rooms), clientConfigurationEndpoint(rooms)],
  };
}
