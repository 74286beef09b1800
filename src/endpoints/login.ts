import type { LoginAttempt, LoginOutcome } from '../accounts/authenticate-user.ts';
import { PASSWORD_METHODS } from '../accounts/authentication-context.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import type { AuthorizationFlow } from '../interaction/authorization-flow.ts';
import type { BrowserSessions } from '../interaction/browser-sessions.ts';
import type { Forms } from '../interaction/forms.ts';
import type { HalfDoneLogins } from '../interaction/half-done-login.ts';
import type { InteractionPages, InteractionPaths } from '../interaction/interaction-pages.ts';
import { loginPurpose } from '../interaction/interaction-pages.ts';
import type { PendingRequests } from '../interaction/pending-request.ts';
import type { SecondFactorPages } from '../interaction/second-factor-pages.ts';
import { expiredPage, showingErrors } from './error-pages.ts';

/** Takes the login form: username and password. A login makes a new session and goes on with the request; one that is half done, none. */
export function loginEndpoint(rooms: {
  readonly flow: AuthorizationFlow;
  readonly pendingRequests: PendingRequests;
  readonly forms: Forms;
  readonly pages: InteractionPages;
  readonly halfDoneLogins: HalfDoneLogins;
  readonly secondFactorPages: Pick<SecondFactorPages, 'login'>;
  readonly sessions: BrowserSessions;
  readonly authenticateUser: (attempt: LoginAttempt) => Promise<LoginOutcome>;
  readonly paths: InteractionPaths;
  readonly clock: Clock;
}): Endpoint {
  const { flow, pendingRequests, forms, pages, halfDoneLogins, secondFactorPages, sessions, authenticateUser, paths, clock } = rooms;

  return showingErrors({
    path: '/login',
    methods: ['POST'],
    async handle(request) {
      const { form, remoteAddress, requestId } = request;
      const signed = form.get('request') ?? '';
      const pending = await pendingRequests.open(signed, clock.now());
      if (pending === undefined) {
        return expiredPage(request);
      }
      const situation = await flow.situation(pending, request);
      if ('kind' in situation) {
        return situation;
      }
      const username = form.get('username');
      if (!forms.isGenuine(request, loginPurpose(signed))) {
        return pages.login(request, situation, { problem: 'expired', username });
      }
      const outcome = await authenticateUser({ username: username ?? '', password: form.get('password') ?? '', remoteAddress, requestId });
      switch (outcome.kind) {
        case 'refused':
          return pages.login(request, situation, { problem: 'refused', username });
        case 'throttled':
          return pages.login(request, situation, { problem: 'throttled', username, retryAfterSeconds: outcome.retryAfterSeconds });
        case 'second_factor_due':
          return secondFactorPages.login(request, situation, halfDoneLogins.sign(outcome.user, clock.now()));
        case 'authenticated': {
          const cookies = await sessions.begin(request, outcome.user.id, PASSWORD_METHODS, clock.now());
          return { kind: 'redirect', location: `${paths.resume}?request=${pendingRequests.sign(situation.pending)}`, cookies };
        }
      }
    },
  });
}
