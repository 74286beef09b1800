import type { Users } from '../accounts/user.ts';
import { receivedDeferred } from '../authorization/received-request.ts';
import type { Clients } from '../clients/clients.ts';
import type { Clock, EpochSeconds } from '../core/clock.ts';
import type { Endpoint, ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import { parseScope } from '../core/scope.ts';
import type { DeferredRequest, DeferredRequests } from '../deferred-requests/deferred-request.ts';
import type { BrowserSessions } from '../interaction/browser-sessions.ts';
import type { InteractionPaths } from '../interaction/interaction-pages.ts';
import type { PendingRequests } from '../interaction/pending-request.ts';
import type { Session } from '../interaction/session.ts';
import { approvalsPage, type WaitingRequest } from '../pages/approvals-page.ts';
import type { ApprovalLogin } from './approval-login.ts';
import { languageOf, showingErrors } from './error-pages.ts';

/**
 * Where users find what is asked of them in the back channel (CIBA section 8 leaves to the server how they are asked). Each request goes on from
 * here as one that a browser brought: login or second factor where it needs them, and always consent.
 */
export function approvalsEndpoint(rooms: {
  readonly deferredRequests: Pick<DeferredRequests, 'openFor'>;
  readonly clients: Pick<Clients, 'find'>;
  readonly users: Pick<Users, 'find'>;
  readonly pendingRequests: Pick<PendingRequests, 'sign'>;
  readonly sessions: Pick<BrowserSessions, 'current'>;
  readonly approvalLogin: ApprovalLogin;
  readonly paths: InteractionPaths;
  readonly clock: Clock;
}): Endpoint {
  const { deferredRequests, clients, users, pendingRequests, sessions, approvalLogin, paths, clock } = rooms;

  return showingErrors({
    path: '/ciba',
    methods: ['GET', 'POST'],
    async handle(request) {
      if (request.method === 'POST') {
        return approvalLogin.take(request);
      }
      const now = clock.now();
      const session = await sessions.current(request, now);
      return session === undefined ? approvalLogin.ask(request) : list(request, session, now);
    },
  });

  async function list(request: ProtocolRequest, { userId }: Session, now: EpochSeconds): Promise<ProtocolResponse> {
    const [user, open] = await Promise.all([users.find(userId), deferredRequests.openFor(userId, now)]);
    const requests = await Promise.all(open.map((deferred) => waiting(deferred, now)));
    const html = approvalsPage({ language: languageOf(request), username: user?.username ?? '', self: paths.approvals, requests });
    return { kind: 'page', status: 200, html };
  }

  async function waiting(deferred: DeferredRequest, now: EpochSeconds): Promise<WaitingRequest> {
    const { clientId, parameters, remoteAddress, createdAt } = deferred;
    const client = await clients.find(clientId);
    const pending = { ...receivedDeferred(deferred), startedAt: now, sessionAtStart: undefined };
    return {
      clientName: client?.metadata.client_name ?? clientId,
      origin: client?.registeredItself && { nameVouchedFor: client.registeredItself.nameVouchedFor, redirectTo: undefined },
      bindingMessage: parameters.get('binding_message'),
      scopes: parseScope(parameters.get('scope') ?? ''),
      address: remoteAddress,
      secondsAgo: now - createdAt,
      href: `${paths.resume}?request=${pendingRequests.sign(pending)}`,
    };
  }
}
