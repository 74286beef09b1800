import type { Users } from '../accounts/user.ts';
import type { Clients } from '../clients/clients.ts';
import { cspSource } from '../clients/redirect-uri.ts';
import { displayedName } from '../clients/self-description.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint, ProtocolRequest, ProtocolResponse, SetCookie } from '../core/endpoint.ts';
import type { BrowserSessions } from '../interaction/browser-sessions.ts';
import type { FormPurpose, Forms } from '../interaction/forms.ts';
import type { InteractionPaths } from '../interaction/interaction-pages.ts';
import type { LogoutRequest, LogoutRequests } from '../interaction/logout-request.ts';
import { afterLogout } from '../interaction/logout-request.ts';
import type { Session } from '../interaction/session.ts';
import { chooseLanguage, type Language } from '../pages/languages.ts';
import { signedOutPage, signOutPage } from '../pages/sign-out-page.ts';
import type { Subjects } from '../tokens/subjects.ts';
import { expiredPage, showingErrors } from './error-pages.ts';

/**
 * OpenID Connect RP-Initiated Logout section 2. A client that shows an ID token of the user who is logged in ends the session at once;
 * for all others the user is asked, so that another site's link alone logs nobody out.
 */
export function logoutEndpoint(rooms: {
  readonly logoutRequests: LogoutRequests;
  readonly sessions: BrowserSessions;
  readonly clients: Pick<Clients, 'find'>;
  readonly users: Pick<Users, 'find'>;
  readonly subjects: Subjects;
  readonly forms: Forms;
  readonly paths: InteractionPaths;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): Endpoint {
  const { logoutRequests, sessions, clients, users, subjects, forms, paths, clock, audit } = rooms;

  return showingErrors({
    path: '/logout',
    methods: ['GET', 'POST'],
    metadataName: 'end_session_endpoint',
    async handle(request) {
      // Only our own form has a signed request in it.
      const isAnswer = request.method === 'POST' && request.form.get('request') !== undefined;
      const signed = isAnswer ? request.form.get('request') : request.query.get('request');
      if (request.method === 'POST' && !isAnswer) {
        const received = await logoutRequests.receive(request.form);
        // Another site's form comes without our SameSite=Lax cookies; the GET that it is sent on with has them.
        return { kind: 'redirect', location: `${paths.logout}?request=${logoutRequests.sign(received, clock.now())}` };
      }
      const logout = signed === undefined ? await logoutRequests.receive(request.query) : logoutRequests.open(signed, clock.now());
      if (logout === undefined) {
        return expiredPage(request);
      }
      const session = await sessions.current(request, clock.now());
      if (session === undefined) {
        // Over already. Only a client that proved who it is may have the browser for that (a bare link is no logout).
        return done(request, logout.subject === undefined ? { ...logout, redirectUri: undefined } : logout, []);
      }
      const isConfirmed = isAnswer && signed !== undefined && forms.isGenuine(request, purposeOf(signed, session));
      if (!isConfirmed && !(await isOwnLogin(logout, session))) {
        return question(request, logout, session);
      }
      const cookies = await sessions.end(request, clock.now());
      audit.record('logout', { userId: session.userId, clientId: logout.clientId, requestId: request.requestId });
      return done(request, logout, cookies);
    },
  });

  /** Section 2: asked is who has no ID token, or one that does not belong to the user who is logged in. */
  async function isOwnLogin({ clientId, subject }: LogoutRequest, session: Session): Promise<boolean> {
    const client = clientId === undefined ? undefined : await clients.find(clientId);
    return client !== undefined && subject !== undefined && subjects.of(client, session.userId) === subject;
  }

  async function question(request: ProtocolRequest, logout: LogoutRequest, session: Session): Promise<ProtocolResponse> {
    const client = logout.clientId === undefined ? undefined : await clients.find(logout.clientId);
    const user = await users.find(session.userId);
    const signed = logoutRequests.sign(logout, clock.now());
    const form = forms.issue(request, purposeOf(signed, session));
    const html = signOutPage({
      language: languageOf(request, logout),
      username: user?.username ?? '',
      clientName: client === undefined ? undefined : displayedName(client),
      action: paths.logout,
      hidden: { request: signed, form_token: form.token },
    });
    const formTargets = logout.redirectUri === undefined ? [] : [cspSource(logout.redirectUri)];
    return { kind: 'page', status: 200, html, formTargets, cookies: form.cookies };
  }
}

function done(request: ProtocolRequest, logout: LogoutRequest, cookies: readonly SetCookie[]): ProtocolResponse {
  const location = afterLogout(logout);
  return location === undefined
    ? { kind: 'page', status: 200, html: signedOutPage({ language: languageOf(request, logout) }), cookies }
    : { kind: 'redirect', location, cookies };
}

/** What the form's token is good for: this request, of the user of that session. */
function purposeOf(signed: string, session: Session): FormPurpose {
  return { action: 'logout', subject: signed, sessionId: session.id };
}

function languageOf({ headers }: ProtocolRequest, { uiLocales }: LogoutRequest): Language {
  const accepted = headers['accept-language'];
  return chooseLanguage(uiLocales, typeof accepted === 'string' ? accepted : undefined);
}
