import type { LoginAttempt, LoginOutcome } from '../accounts/authenticate-user.ts';
import { PASSWORD_METHODS, TWO_FACTOR_METHODS } from '../accounts/authentication-context.ts';
import type { Users } from '../accounts/user.ts';
import type { SecondFactorVerifier } from '../accounts/verify-second-factor.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { ProtocolRequest } from '../core/endpoint.ts';
import { OAuthError } from '../core/errors.ts';
import type { HalfDoneLogins } from './half-done-login.ts';

/** What of a login is still to come: told to the client, which asks its user. */
export type LoginStep =
  | { readonly kind: 'done'; readonly userId: string; readonly methods: readonly string[] }
  /** `refused`: something was typed. That is all that may be told of an unknown user, a wrong password and a disabled user. */
  | { readonly kind: 'password_due'; readonly refused: boolean }
  /** The password was right. @param login as `HalfDoneLogins.sign` gave it. */
  | { readonly kind: 'otp_due'; readonly refused: boolean; readonly login: string };

/** The members that credentials come in. They are of one request, and never part of the authorization request. */
export const CREDENTIALS: readonly string[] = ['username', 'password', 'otp'];

/** RFC 6585 section 4, with the word that `TooManyRequests` has: the user must wait, here as at the login page. */
export class LoginThrottled extends OAuthError {
  readonly code = 'temporarily_unavailable';
  override readonly status = 429;
  override readonly headers: Readonly<Record<string, string>>;

  constructor(retryAfterSeconds: number) {
    super('Too many attempts: let the user try again, and not before the time in Retry-After.');
    this.headers = { 'retry-after': String(retryAfterSeconds) };
  }
}

/**
 * Logs a user in by what an application sends: the steps, counts and limits of the pages, by the same rooms. A password and a code may come
 * together; a code alone goes on with a login whose password was right.
 * @throws LoginThrottled
 */
export function firstPartyLogin(rooms: {
  readonly authenticateUser: (attempt: LoginAttempt) => Promise<LoginOutcome>;
  readonly verifySecondFactor: SecondFactorVerifier;
  readonly halfDoneLogins: HalfDoneLogins;
  readonly users: Pick<Users, 'find'>;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): (request: ProtocolRequest, halfDone: string | undefined) => Promise<LoginStep> {
  const { authenticateUser, verifySecondFactor, halfDoneLogins, users, clock, audit } = rooms;

  return (request, halfDone) => {
    const username = request.form.get('username');
    const password = request.form.get('password');
    if (username !== undefined && password !== undefined) {
      return byPassword(request, username, password);
    }
    return halfDone === undefined ? Promise.resolve({ kind: 'password_due', refused: false }) : goOn(request, halfDone);
  };

  async function byPassword(request: ProtocolRequest, username: string, password: string): Promise<LoginStep> {
    const { remoteAddress, requestId } = request;
    const outcome = await authenticateUser({ username, password, remoteAddress, requestId });
    switch (outcome.kind) {
      case 'authenticated':
        return { kind: 'done', userId: outcome.user.id, methods: PASSWORD_METHODS };
      case 'second_factor_due':
        return byCode(request, outcome.user.id, halfDoneLogins.sign(outcome.user, clock.now()));
      case 'refused':
        return { kind: 'password_due', refused: true };
      case 'throttled':
        throw new LoginThrottled(outcome.retryAfterSeconds);
    }
  }

  async function goOn(request: ProtocolRequest, login: string): Promise<LoginStep> {
    const halfDone = halfDoneLogins.open(login, clock.now());
    const user = halfDone === undefined ? undefined : await users.find(halfDone.userId);
    // Too old, or disabled or given another password meanwhile: that password is none any more.
    if (halfDone === undefined || user === undefined || !halfDone.isOf(user)) {
      return { kind: 'password_due', refused: false };
    }
    return byCode(request, user.id, login);
  }

  async function byCode(request: ProtocolRequest, userId: string, login: string): Promise<LoginStep> {
    const { remoteAddress, requestId } = request;
    const code = request.form.get('otp');
    if (code === undefined) {
      return { kind: 'otp_due', refused: false, login };
    }
    const outcome = await verifySecondFactor({ userId, code, remoteAddress, requestId });
    switch (outcome.kind) {
      case 'verified':
        audit.record('login', { userId, remoteAddress, requestId });
        return { kind: 'done', userId, methods: TWO_FACTOR_METHODS };
      case 'refused':
        return { kind: 'otp_due', refused: true, login };
      case 'throttled':
        throw new LoginThrottled(outcome.retryAfterSeconds);
    }
  }
}
