import type { Authorization } from '../authorization/authorization.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { AccessDenied } from '../core/errors.ts';
import type { AuthorizationFlow } from '../interaction/authorization-flow.ts';
import type { BrowserSessions } from '../interaction/browser-sessions.ts';
import { consentItems, isRemembered } from '../interaction/consent-prompt.ts';
import type { Consents } from '../interaction/consents.ts';
import type { Forms } from '../interaction/forms.ts';
import type { InteractionPaths } from '../interaction/interaction-pages.ts';
import { consentPurpose } from '../interaction/interaction-pages.ts';
import type { PendingRequests } from '../interaction/pending-request.ts';
import { expiredPage, showingErrors } from './error-pages.ts';

/** Takes the consent form: `decision` is `allow`, `deny`, or `switch` to another account. */
export function consentEndpoint(rooms: {
  readonly flow: AuthorizationFlow;
  readonly pendingRequests: PendingRequests;
  readonly forms: Forms;
  readonly sessions: BrowserSessions;
  readonly consents: Consents;
  readonly paths: InteractionPaths;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): Endpoint {
  const { flow, pendingRequests, forms, sessions, consents, paths, clock, audit } = rooms;

  return showingErrors({
    path: '/consent',
    methods: ['POST'],
    async handle(request) {
      const signed = request.form.get('request') ?? '';
      const pending = await pendingRequests.open(signed, clock.now());
      if (pending === undefined) {
        return expiredPage(request);
      }
      const situation = await flow.situation(pending, request);
      if ('kind' in situation) {
        return situation;
      }
      const { session, addressed, authorization, now } = situation;
      const resume = { kind: 'redirect', location: `${paths.resume}?request=${signed}` } as const;
      // The session, or what is asked for, has changed since the page was shown: it is shown again, as it is now, to whoever is logged in now.
      if (session === undefined || !forms.isGenuine(request, consentPurpose(signed, situation))) {
        return resume;
      }
      // All that comes before consent must still hold: the login may have become too old meanwhile.
      if ((await flow.due(situation, 'consent')) !== undefined) {
        return resume;
      }
      const facts = { clientId: addressed.client.id, userId: session.userId, requestId: request.requestId };
      switch (request.form.get('decision')) {
        case 'allow':
          if (isRemembered(addressed, authorization)) {
            await consents.remember(session.userId, addressed.client.id, consentItems(addressed, authorization), now);
          }
          audit.record('consent_granted', { ...facts, scope: authorization.scope.join(' '), ...detailTypes(authorization) });
          return flow.complete({ ...situation, session }, request);
        case 'deny':
          audit.record('consent_denied', facts);
          return flow.refuse(situation, new AccessDenied('The user did not allow it.'), request);
        case 'switch':
          return { ...resume, cookies: await sessions.end(request, now) };
        default:
          return resume;
      }
    },
  });
}

/** Their types alone: what else is in them may be personal data (RFC 9396 section 13). */
function detailTypes({ authorizationDetails }: Authorization): { readonly authorizationDetailsTypes?: string } {
  return authorizationDetails.length === 0 ? {} : { authorizationDetailsTypes: authorizationDetails.map(({ type }) => type).join(' ') };
}
