import { TWO_FACTOR_METHODS } from '../accounts/authentication-context.ts';
import type { TotpEnrolment } from '../accounts/totp-enrolment.ts';
import type { Users } from '../accounts/user.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint, ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import { UnmetAuthenticationRequirements } from '../core/errors.ts';
import type { AuthorizationFlow } from '../interaction/authorization-flow.ts';
import type { BrowserSessions } from '../interaction/browser-sessions.ts';
import type { Forms } from '../interaction/forms.ts';
import type { InteractionPaths } from '../interaction/interaction-pages.ts';
import type { PendingRequests } from '../interaction/pending-request.ts';
import { enrolmentPurpose, type LoggedInSituation, type SecondFactorPages } from '../interaction/second-factor-pages.ts';
import { expiredPage, showingErrors } from './error-pages.ts';

/**
 * Takes the enrolment's forms: the code (`otp`) that shows the authenticator has the secret, `decision=not_now`, and `decision=continue` from
 * the page with the recovery codes.
 */
export function secondFactorEnrolmentEndpoint(rooms: {
  readonly flow: AuthorizationFlow;
  readonly pendingRequests: PendingRequests;
  readonly forms: Forms;
  readonly secondFactorPages: SecondFactorPages;
  readonly sessions: BrowserSessions;
  readonly users: Pick<Users, 'find'>;
  readonly totpEnrolment: TotpEnrolment;
  readonly paths: InteractionPaths;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): Endpoint {
  const { flow, pendingRequests, forms, secondFactorPages, sessions, users, totpEnrolment, paths, clock, audit } = rooms;

  return showingErrors({
    path: '/login/second-factor/enrolment',
    methods: ['POST'],
    async handle(request) {
      const { form } = request;
      const signed = form.get('request') ?? '';
      const pending = await pendingRequests.open(signed, clock.now());
      if (pending === undefined) {
        return expiredPage(request);
      }
      const situation = await flow.situation(pending, request);
      if ('kind' in situation) {
        return situation;
      }
      const { session } = situation;
      const isAsked = session !== undefined && forms.isGenuine(request, enrolmentPurpose(signed, session));
      // Only whoever is asked to may enrol: another prompt that is due first (a login that became too old) is asked again.
      if (!isAsked || (await flow.due(situation))?.name !== 'second-factor') {
        return { kind: 'redirect', location: `${paths.resume}?request=${pendingRequests.sign(situation.pending)}` };
      }
      if (form.get('decision') === 'not_now') {
        return flow.refuse(situation, new UnmetAuthenticationRequirements('The user did not set up a second factor.'), request);
      }
      return enrol(request, { ...situation, session });
    },
  });

  async function enrol(request: ProtocolRequest, situation: LoggedInSituation): Promise<ProtocolResponse> {
    const { session, now } = situation;
    const user = await users.find(session.userId);
    const offer = totpEnrolment.reopen(session.userId, request.form.get('offer') ?? '');
    if (user === undefined || offer === undefined) {
      return secondFactorPages.stepUp(request, situation);
    }
    const outcome = await totpEnrolment.confirm(user.id, offer, request.form.get('otp') ?? '');
    switch (outcome.kind) {
      case 'wrong_code':
        return secondFactorPages.enrolment(request, situation, user, offer, { problem: 'refused' });
      case 'enrolled_before':
        // In another tab or by an operator: the code of that factor is asked for.
        return secondFactorPages.stepUp(request, situation);
      case 'enrolled': {
        const facts = { userId: user.id, remoteAddress: request.remoteAddress, requestId: request.requestId };
        audit.record('second_factor_enrolled', facts);
        const cookies = await sessions.stepUp(session, TWO_FACTOR_METHODS, now);
        if (cookies !== undefined) {
          audit.record('stepped_up', facts);
        }
        const page = secondFactorPages.recoveryCodes(request, situation, outcome.recoveryCodes);
        return page.kind === 'page' ? { ...page, cookies: cookies ?? [] } : page;
      }
    }
  }
}
