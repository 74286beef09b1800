import type { AuditTrail } from '../core/audit.ts';
import { TemporarilyUnavailable } from '../core/errors.ts';
import { canonicalUsername } from './canonical-username.ts';
import type { AdmittedAttempt, LoginThrottle } from './login-throttle.ts';
import { type PasswordCheck, type Passwords, UnacceptablePassword } from './password.ts';
import type { SecondFactors } from './second-factor.ts';
import type { User, Users } from './user.ts';

/** What someone typed into the login page, and where from. */
export interface LoginAttempt {
  readonly username: string;
  readonly password: string;
  readonly remoteAddress: string;
  /** Names the request in the audit trail. */
  readonly requestId?: string;
}

/** `refused` is all that may be told of an unknown user, a wrong password and a disabled user. */
export type LoginOutcome =
  | { readonly kind: 'authenticated'; readonly user: User }
  /** The password was right, and is not all that this user has: the login is not done. */
  | { readonly kind: 'second_factor_due'; readonly user: User }
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly retryAfterSeconds: number };

/** Authenticates a user by what was typed. */
export type UserAuthenticator = (attempt: LoginAttempt) => Promise<LoginOutcome>;

/** What authentication by password needs. */
export interface PasswordAuthentication {
  readonly users: Pick<Users, 'findByUsername' | 'replacePasswordHash'>;
  /** Looked at when the password was right, so that nobody else learns who has one. undefined: second factors are turned off. */
  readonly secondFactors: Pick<SecondFactors, 'find'> | undefined;
  readonly throttle: LoginThrottle;
  readonly passwords: Pick<Passwords, 'verify' | 'hash'>;
  readonly audit: AuditTrail;
}

/**
 * Authenticates a user by name and password. Unknown, disabled and wrong take the same steps and the same time, and a password is looked at
 * only after the attempt was counted. The audit trail names the user where there is one and never what was typed.
 * @throws TemporarilyUnavailable when too many passwords are waiting to be checked; the attempt does not count then.
 * @throws StorageUnavailable
 */
export function authenticateUser(rooms: PasswordAuthentication): UserAuthenticator {
  const { users, secondFactors, throttle, passwords, audit } = rooms;

  return async ({ username, password, remoteAddress, requestId }) => {
    const canonical = canonicalUsername(username);
    const user = canonical === undefined ? undefined : await users.findByUsername(canonical);
    const fields = { userId: user?.id, remoteAddress, requestId };

    const admission = await throttle.admit(canonical ?? username, remoteAddress);
    if (admission.kind === 'throttled') {
      audit.record('login_throttled', { ...fields, by: admission.by });
      return { kind: 'throttled', retryAfterSeconds: admission.retryAfterSeconds };
    }
    const check = await verifyOrAbandon(admission, () => passwords.verify(user?.passwordHash, password));
    const reason = reasonToRefuse(user, check);
    if (user === undefined || reason !== undefined) {
      audit.record('login_failed', { ...fields, reason });
      return { kind: 'refused' };
    }
    await admission.succeeded();
    const current = check.isOutdated ? await hashedAnew(user, password) : user;
    if ((await secondFactors?.find(user.id)) !== undefined) {
      return { kind: 'second_factor_due', user: current };
    }
    audit.record('login', fields);
    return { kind: 'authenticated', user: current };
  };

  /** While the password is at hand: its hash is made as new ones are. A login never fails for that; the next one tries again. */
  async function hashedAnew(user: User, password: string): Promise<User> {
    try {
      const passwordHash = await passwords.hash(password);
      return (await users.replacePasswordHash(user.id, user.passwordHash, passwordHash)) ? { ...user, passwordHash } : user;
    } catch (error) {
      // A password from the days of other rules, or a queue that is full.
      if (error instanceof UnacceptablePassword || error instanceof TemporarilyUnavailable) {
        return user;
      }
      throw error;
    }
  }
}

async function verifyOrAbandon(admission: AdmittedAttempt, verify: () => Promise<PasswordCheck>): Promise<PasswordCheck> {
  try {
    return await verify();
  } catch (error) {
    await admission.abandoned();
    throw error;
  }
}

function reasonToRefuse(user: User | undefined, check: PasswordCheck): string | undefined {
  if (user === undefined) {
    return 'unknown user';
  }
  if (!check.matches) {
    return 'wrong password';
  }
  return user.disabledAt === undefined ? undefined : 'disabled user';
}
