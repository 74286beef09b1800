import { TWO_FACTOR_METHODS } from '../accounts/authentication-context.ts';
import type { Users } from '../accounts/user.ts';
import type { SecondFactorVerifier } from '../accounts/verify-second-factor.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint, ProtocolRequest, ProtocolResponse, SetCookie } from '../core/endpoint.ts';
import type { AuthorizationFlow } from '../interaction/authorization-flow.ts';
import type { BrowserSessions } from '../interaction/browser-sessions.ts';
import type { Forms } from '../interaction/forms.ts';
import type { HalfDoneLogins } from '../interaction/half-done-login.ts';
import type { InteractionPages, InteractionPaths } from '../interaction/interaction-pages.ts';
import type { PendingRequests } from '../interaction/pending-request.ts';
import type { Situation } from '../interaction/prompt.ts';
import { type SecondFactorFailure, type SecondFactorPages, secondFactorPurpose } from '../interaction/second-factor-pages.ts';
import { expiredPage, showingErrors } from './error-pages.ts';

/** Takes the form for the code (`otp`). It ends a half-done login, or steps a session up; then the request goes on. */
export function secondFactorEndpoint(rooms: {
  readonly flow: AuthorizationFlow;
  readonly pendingRequests: PendingRequests;
  readonly halfDoneLogins: HalfDoneLogins;
  readonly forms: Forms;
  readonly pages: InteractionPages;
  readonly secondFactorPages: SecondFactorPages;
  readonly sessions: BrowserSessions;
  readonly users: Pick<Users, 'find'>;
  readonly verifySecondFactor: SecondFactorVerifier;
  readonly paths: InteractionPaths;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): Endpoint {
  const { flow, pendingRequests, halfDoneLogins, forms, pages, secondFactorPages, sessions, users, verifySecondFactor, clock } = rooms;

  return showingErrors({
    path: '/login/second-factor',
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
      const login = request.form.get('login');
      return login === undefined ? stepUp(request, situation, signed) : finishLogin(request, situation, signed, login);
    },
  });

  async function finishLogin(request: ProtocolRequest, situation: Situation, signed: string, login: string): Promise<ProtocolResponse> {
    const { now } = situation;
    const halfDone = halfDoneLogins.open(login, now);
    if (halfDone === undefined || !forms.isGenuine(request, secondFactorPurpose(signed, { login }))) {
      return pages.login(request, situation, { problem: 'expired', username: undefined });
    }
    const user = await users.find(halfDone.userId);
    // Disabled, or given another password, while the page was open: that password is none any more.
    if (user === undefined || !halfDone.isOf(user)) {
      return pages.login(request, situation, { problem: 'expired', username: undefined });
    }
    const failure = await verify(request, user.id);
    if (failure !== undefined) {
      return secondFactorPages.login(request, situation, login, failure);
    }
    const cookies = await sessions.begin(request, user.id, TWO_FACTOR_METHODS, now);
    rooms.audit.record('login', { userId: user.id, remoteAddress: request.remoteAddress, requestId: request.requestId });
    return resume(situation, cookies);
  }

  async function stepUp(request: ProtocolRequest, situation: Situation, signed: string): Promise<ProtocolResponse> {
    const { session, now } = situation;
    // A session that ended or changed since the page was shown, or another prompt that is due first: asked again, from the start.
    const isAsked = session !== undefined && forms.isGenuine(request, secondFactorPurpose(signed, { session }));
    if (!isAsked || (await flow.due(situation))?.name !== 'second-factor') {
      return resume(situation);
    }
    const failure = await verify(request, session.userId);
    if (failure !== undefined) {
      return secondFactorPages.stepUp(request, { ...situation, session }, failure);
    }
    const cookies = await sessions.stepUp(session, TWO_FACTOR_METHODS, now);
    if (cookies !== undefined) {
      rooms.audit.record('stepped_up', { userId: session.userId, remoteAddress: request.remoteAddress, requestId: request.requestId });
    }
    return resume(situation, cookies);
  }

  async function verify({ form, remoteAddress, requestId }: ProtocolRequest, userId: string): Promise<SecondFactorFailure | undefined> {
    const outcome = await verifySecondFactor({ userId, code: form.get('otp') ?? '', remoteAddress, requestId });
    switch (outcome.kind) {
      case 'verified':
        return undefined;
      case 'refused':
        return { problem: 'refused' };
      case 'throttled':
        return { problem: 'throttled', retryAfterSeconds: outcome.retryAfterSeconds };
    }
  }

  function resume({ pending }: Situation, cookies: readonly SetCookie[] = []): ProtocolResponse {
    return { kind: 'redirect', location: `${rooms.paths.resume}?request=${pendingRequests.sign(pending)}`, cookies };
  }
}
