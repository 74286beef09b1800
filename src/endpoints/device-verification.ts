import { receivedDeferred } from '../authorization/received-request.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint, ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import { shownUserCode, type UserCodes } from '../deferred-requests/user-codes.ts';
import type { BrowserSessions } from '../interaction/browser-sessions.ts';
import type { Forms } from '../interaction/forms.ts';
import type { InteractionPaths } from '../interaction/interaction-pages.ts';
import type { PendingRequests } from '../interaction/pending-request.ts';
import { type DeviceProblem, devicePage } from '../pages/device-page.ts';
import { languageOf, showingErrors } from './error-pages.ts';

/**
 * RFC 8628 section 3.3: takes the code that a device shows, and goes on with its request as with one that a browser brought. A code in the
 * address (`verification_uri_complete`) fills in the form, and is looked at no sooner than the user sends it: a link alone leads nowhere.
 */
export function deviceVerificationEndpoint(rooms: {
  readonly userCodes: Pick<UserCodes, 'enter'>;
  readonly pendingRequests: Pick<PendingRequests, 'sign'>;
  readonly sessions: Pick<BrowserSessions, 'current'>;
  readonly forms: Forms;
  readonly paths: InteractionPaths;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): Endpoint {
  const { userCodes, pendingRequests, sessions, forms, paths, clock, audit } = rooms;

  return showingErrors({
    path: '/device',
    methods: ['GET', 'POST'],
    async handle(request) {
      const { form, query, remoteAddress, requestId } = request;
      if (request.method !== 'POST') {
        // What cannot be a code of ours is not repeated: no link puts words on this page.
        return shownPage(request, shownUserCode(query.get('user_code') ?? ''));
      }
      const typed = form.get('user_code') ?? '';
      const browser = forms.browserTag(request);
      if (browser === undefined || !forms.isGenuine(request, PURPOSE)) {
        return shownPage(request, shownUserCode(typed), { problem: 'expired' });
      }
      const session = await sessions.current(request, clock.now());
      const entered = await userCodes.enter({ typed, remoteAddress, userId: session?.userId });
      switch (entered.kind) {
        case 'refused':
          audit.record('user_code_refused', { userId: session?.userId, remoteAddress, requestId });
          return shownPage(request, shownUserCode(typed), { problem: 'refused' });
        case 'throttled':
          audit.record('user_code_throttled', { by: entered.by, userId: session?.userId, remoteAddress, requestId });
          return shownPage(request, shownUserCode(typed), { problem: 'throttled', retryAfterSeconds: entered.retryAfterSeconds });
        case 'found': {
          const pending = {
            ...receivedDeferred(entered.request),
            entry: { userCode: entered.text, browser },
            startedAt: clock.now(),
            sessionAtStart: undefined,
          };
          return { kind: 'redirect', location: `${paths.resume}?request=${pendingRequests.sign(pending)}` };
        }
      }
    },
  });

  function shownPage(
    request: ProtocolRequest,
    userCode: string | undefined,
    failure?: { readonly problem: DeviceProblem; readonly retryAfterSeconds?: number },
  ): ProtocolResponse {
    const { token, cookies } = forms.issue(request, PURPOSE);
    const html = devicePage({ language: languageOf(request), action: paths.device, hidden: { form_token: token }, userCode, ...failure });
    const status = failure === undefined ? 200 : STATUS_OF_PROBLEM[failure.problem];
    const headers = failure?.retryAfterSeconds === undefined ? {} : { 'retry-after': String(failure.retryAfterSeconds) };
    return { kind: 'page', status, html, headers, cookies };
  }
}

const PURPOSE = { action: 'device', subject: 'user_code' };
const STATUS_OF_PROBLEM: Readonly<Record<DeviceProblem, number>> = { refused: 400, expired: 400, throttled: 429 };
