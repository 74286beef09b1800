import type { Users } from '../accounts/user.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint, ProtocolResponse } from '../core/endpoint.ts';
import type { BrowserSessions } from '../interaction/browser-sessions.ts';
import type { Forms } from '../interaction/forms.ts';
import type { InteractionPaths } from '../interaction/interaction-pages.ts';
import { signedOutPage, signOutPage } from '../pages/sign-out-page.ts';
import { languageOf, showingErrors } from './error-pages.ts';

/** Ends the browser's login, after asking: another site's link alone must not log anybody out. Grants of clients live on. */
export function logoutEndpoint(rooms: {
  readonly sessions: BrowserSessions;
  readonly users: Users;
  readonly forms: Forms;
  readonly paths: InteractionPaths;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): Endpoint {
  const { sessions, users, forms, paths, clock, audit } = rooms;

  return showingErrors({
    path: '/logout',
    methods: ['GET', 'POST'],
    async handle(request): Promise<ProtocolResponse> {
      const language = languageOf(request);
      const session = await sessions.current(request, clock.now());
      if (session === undefined) {
        return { kind: 'page', status: 200, html: signedOutPage({ language }) };
      }
      const purpose = { action: 'logout', subject: session.id, sessionId: session.id };
      if (request.method === 'POST' && forms.isGenuine(request, purpose)) {
        const cookies = await sessions.end(request);
        audit.record('logout', { userId: session.userId, requestId: request.requestId });
        return { kind: 'page', status: 200, html: signedOutPage({ language }), cookies };
      }
      const user = await users.find(session.userId);
      const form = forms.issue(request, purpose);
      const html = signOutPage({ language, username: user?.username ?? '', action: paths.logout, hidden: { form_token: form.token } });
      return { kind: 'page', status: 200, html, cookies: form.cookies };
    },
  });
}
