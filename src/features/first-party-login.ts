import { authorizationChallengeEndpoint } from '../endpoints/authorization-challenge.ts';
import type { Feature } from '../feature.ts';
import { authSessions } from '../interaction/auth-session.ts';
import { firstPartyLogin } from '../interaction/first-party-login.ts';
import { lastChecks } from '../interaction/last-checks.ts';
import { webFallback } from '../interaction/web-fallback.ts';
import type { Rooms } from '../rooms.ts';

/** On: no client gets in that an operator has not registered as first-party. */
export function firstPartyLoginFeature(rooms: Rooms): Feature {
  return {
    specification: 'draft-ietf-oauth-first-party-apps-03: login in an application of the operator, without a browser',
    name: 'first-party-login',
    endpoints: (assembled) => [
      authorizationChallengeEndpoint({
        ...rooms,
        ...assembled,
        authSessions: authSessions(rooms.keys.secrets),
        logIn: firstPartyLogin(rooms),
        refusalOf: lastChecks(rooms),
        toWeb: webFallback(rooms),
      }),
    ],
  };
}
