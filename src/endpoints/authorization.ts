import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { AuthorizationFlow } from '../interaction/authorization-flow.ts';
import type { InteractionPaths } from '../interaction/interaction-pages.ts';
import type { PendingRequests } from '../interaction/pending-request.ts';
import { showingErrors } from './error-pages.ts';

/** RFC 6749 section 3.1: where a client sends the user's browser. GET begins at once. */
export function authorizationEndpoint(rooms: {
  readonly flow: AuthorizationFlow;
  readonly pendingRequests: PendingRequests;
  readonly paths: InteractionPaths;
  readonly clock: Clock;
}): Endpoint {
  const { flow, pendingRequests, paths, clock } = rooms;

  return showingErrors({
    path: '/authorize',
    methods: ['GET', 'POST'],
    metadataName: 'authorization_endpoint',
    async handle(request) {
      const startedAt = clock.now();
      if (request.method === 'POST') {
        // Another site's form comes without our SameSite=Lax cookies; the GET that it is sent on with has them.
        const signed = pendingRequests.sign({ parameters: request.form, startedAt, sessionAtStart: undefined });
        return { kind: 'redirect', location: `${paths.resume}?request=${signed}` };
      }
      return flow.proceed({ parameters: request.query, startedAt, sessionAtStart: undefined }, request);
    },
  });
}
