import type { LoginAttempt, LoginOutcome } from '../accounts/authenticate-user.ts';
import { PASSWORD_METHODS, TWO_FACTOR_METHODS } from '../accounts/authentication-context.ts';
import type { Users } from '../accounts/user.ts';
import type { SecondFactorVerifier } from '../accounts/verify-second-factor.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { ProtocolRequest, ProtocolResponse, SetCookie } from '../core/endpoint.ts';
import type { BrowserSessions } from '../interaction/browser-sessions.ts';
import type { FormPurpose, Forms } from '../interaction/forms.ts';
import type { HalfDoneLogins } from '../interaction/half-done-login.ts';
import type { InteractionPaths } from '../interaction/interaction-pages.ts';
import type { LoginProblem } from '../pages/login-page.ts';
import { loginPage } from '../pages/login-page.ts';
import { type SecondFactorProblem, secondFactorPage } from '../pages/second-factor-page.ts';
import { messagesIn } from '../pages/translations.ts';
import { languageOf } from './error-pages.ts';

/** The login of a user whom no client has sent: to see what waits for them. */
export interface ApprovalLogin {
  ask(request: ProtocolRequest): ProtocolResponse;
  /** Takes the form: `username` and `password`, or `otp` for a login that is half done (`login`). */
  take(request: ProtocolRequest): Promise<ProtocolResponse>;
}

export function approvalLogin(rooms: {
  readonly authenticateUser: (attempt: LoginAttempt) => Promise<LoginOutcome>;
  readonly verifySecondFactor: SecondFactorVerifier;
  readonly halfDoneLogins: HalfDoneLogins;
  readonly users: Pick<Users, 'find'>;
  readonly sessions: Pick<BrowserSessions, 'begin'>;
  readonly forms: Forms;
  readonly paths: InteractionPaths;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): ApprovalLogin {
  const { authenticateUser, verifySecondFactor, halfDoneLogins, users, sessions, forms, paths, clock, audit } = rooms;

  return {
    ask: (request) => passwordPage(request),
    async take(request) {
      const login = request.form.get('login');
      return login === undefined ? takePassword(request) : takeCode(request, login);
    },
  };

  async function takePassword(request: ProtocolRequest): Promise<ProtocolResponse> {
    const { form, remoteAddress, requestId } = request;
    const username = form.get('username');
    if (!forms.isGenuine(request, PASSWORD_PURPOSE)) {
      return passwordPage(request, { problem: 'expired', username });
    }
    const outcome = await authenticateUser({ username: username ?? '', password: form.get('password') ?? '', remoteAddress, requestId });
    switch (outcome.kind) {
      case 'refused':
        return passwordPage(request, { problem: 'refused', username });
      case 'throttled':
        return passwordPage(request, { problem: 'throttled', username, retryAfterSeconds: outcome.retryAfterSeconds });
      case 'second_factor_due':
        return codePage(request, halfDoneLogins.sign(outcome.user, clock.now()));
      case 'authenticated':
        return done(await sessions.begin(request, outcome.user.id, PASSWORD_METHODS, clock.now()));
    }
  }

  async function takeCode(request: ProtocolRequest, login: string): Promise<ProtocolResponse> {
    const { form, remoteAddress, requestId } = request;
    const halfDone = halfDoneLogins.open(login, clock.now());
    const user = halfDone && forms.isGenuine(request, codePurpose(login)) ? await users.find(halfDone.userId) : undefined;
    // Disabled, or given another password, while the page was open: that password is none any more.
    if (halfDone === undefined || user === undefined || !halfDone.isOf(user)) {
      return passwordPage(request, { problem: 'expired', username: undefined });
    }
    const outcome = await verifySecondFactor({ userId: user.id, code: form.get('otp') ?? '', remoteAddress, requestId });
    if (outcome.kind === 'refused') {
      return codePage(request, login, { problem: 'refused' });
    }
    if (outcome.kind === 'throttled') {
      return codePage(request, login, { problem: 'throttled', retryAfterSeconds: outcome.retryAfterSeconds });
    }
    const cookies = await sessions.begin(request, user.id, TWO_FACTOR_METHODS, clock.now());
    audit.record('login', { userId: user.id, remoteAddress, requestId });
    return done(cookies);
  }

  function done(cookies: readonly SetCookie[]): ProtocolResponse {
    return { kind: 'redirect', location: paths.approvals, cookies };
  }

  function passwordPage(
    request: ProtocolRequest,
    failure?: { readonly problem: LoginProblem; readonly username: string | undefined; readonly retryAfterSeconds?: number },
  ): ProtocolResponse {
    const { token, cookies } = forms.issue(request, PASSWORD_PURPOSE);
    const html = loginPage({ ...around(request), hidden: { form_token: token }, ...failure });
    return { ...answered(failure), html, cookies };
  }

  function codePage(
    request: ProtocolRequest,
    login: string,
    failure?: { readonly problem: SecondFactorProblem; readonly retryAfterSeconds?: number },
  ): ProtocolResponse {
    const { token, cookies } = forms.issue(request, codePurpose(login));
    const html = secondFactorPage({ ...around(request), hidden: { login, form_token: token }, ...failure });
    return { ...answered(failure), html, cookies };
  }

  function around(request: ProtocolRequest) {
    const language = languageOf(request);
    return { language, clientName: undefined, purpose: messagesIn(language).approvals.purpose, action: paths.approvals };
  }
}

const PASSWORD_PURPOSE: FormPurpose = { action: 'approval-login', subject: '' };

function codePurpose(login: string): FormPurpose {
  return { action: 'approval-second-factor', subject: login };
}

function answered(failure: { readonly problem: LoginProblem; readonly retryAfterSeconds?: number } | undefined) {
  return {
    kind: 'page',
    status: failure === undefined ? 200 : STATUS_OF_PROBLEM[failure.problem],
    headers: failure?.retryAfterSeconds === undefined ? {} : { 'retry-after': String(failure.retryAfterSeconds) },
  } as const;
}

const STATUS_OF_PROBLEM: Readonly<Record<LoginProblem, number>> = { refused: 400, expired: 400, throttled: 429 };
