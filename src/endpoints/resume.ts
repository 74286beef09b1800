import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { AuthorizationFlow } from '../interaction/authorization-flow.ts';
import type { PendingRequests } from '../interaction/pending-request.ts';
import { expiredPage, showingErrors } from './error-pages.ts';

/** Goes on with an authorization request after a step that changed the session. */
export function resumeEndpoint(rooms: {
  readonly flow: AuthorizationFlow;
  readonly pendingRequests: PendingRequests;
  readonly clock: Clock;
}): Endpoint {
  return showingErrors({
    path: '/authorize/resume',
    methods: ['GET'],
    async handle(request) {
      const pending = await rooms.pendingRequests.open(request.query.get('request') ?? '', rooms.clock.now());
      return pending === undefined ? expiredPage(request) : rooms.flow.proceed(pending, request);
    },
  });
}
