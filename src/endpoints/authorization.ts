import { refuseTooLong } from '../authorization/received-request.ts';
import type { Clients } from '../clients/clients.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { AuthorizationFlow } from '../interaction/authorization-flow.ts';
import type { InteractionPaths } from '../interaction/interaction-pages.ts';
import type { PendingRequests } from '../interaction/pending-request.ts';
import { showingErrors } from './error-pages.ts';

/** RFC 6749 section 3.1: where a client sends the user's browser. GET begins at once. */
export function authorizationEndpoint(rooms: {
  readonly clients: Pick<Clients, 'current'>;
  readonly flow: AuthorizationFlow;
  readonly pendingRequests: PendingRequests;
  readonly paths: InteractionPaths;
}): Endpoint {
  const { clients, flow, pendingRequests, paths } = rooms;

  return showingErrors({
    path: '/authorize',
    methods: ['GET', 'POST'],
    metadataName: 'authorization_endpoint',
    async handle(request) {
      const parameters = request.method === 'POST' ? request.form : request.query;
      // A client that is not known yet is made known on behalf of whoever asks.
      await clients.current(parameters.get('client_id') ?? '', request);
      const pending = await flow.begin(parameters, request);
      if ('kind' in pending) {
        return pending;
      }
      refuseTooLong(pending);
      // Another site's form comes without our SameSite=Lax cookies; the GET that it is sent on with has them.
      return request.method === 'POST'
        ? { kind: 'redirect', location: `${paths.resume}?request=${pendingRequests.sign(pending)}` }
        : flow.proceed(pending, request);
    },
  });
}
