import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import type { LoginThrottle } from './login-throttle.ts';
import { recoveryDigest } from './recovery-codes.ts';
import type { SecondFactors } from './second-factor.ts';
import { stepOfCode } from './totp.ts';
import { openTotpSecret } from './totp-enrolment.ts';

/** What a user whose password was right typed as a code, and where from. */
export interface SecondFactorAttempt {
  readonly userId: string;
  /** A code of the authenticator, or a recovery code. */
  readonly code: string;
  readonly remoteAddress: string;
  readonly requestId?: string;
}

/** `refused` is all that may be told of a wrong code, one that was used before, and a factor that is not there. */
export type SecondFactorOutcome =
  | { readonly kind: 'verified' }
  | { readonly kind: 'refused' }
  | { readonly kind: 'throttled'; readonly retryAfterSeconds: number };

/** Verifies the code of a user. One that is verified is used up. */
export type SecondFactorVerifier = (attempt: SecondFactorAttempt) => Promise<SecondFactorOutcome>;

/**
 * Verifies second factors. A code is looked at only after the attempt was counted: a million codes are few (RFC 4226 section 7.3).
 * @param rooms `throttle` counts for second factors alone: a right password, which clears its own count, must not clear this one.
 */
export function secondFactorVerifier(rooms: {
  readonly secondFactors: Pick<SecondFactors, 'find' | 'useStep' | 'useRecoveryCode'>;
  readonly throttle: LoginThrottle;
  readonly secrets: Pick<ServerSecrets, 'byId'>;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): SecondFactorVerifier {
  const { secondFactors, throttle, secrets, clock, audit } = rooms;

  return async ({ userId, code, remoteAddress, requestId }) => {
    const fields = { userId, remoteAddress, requestId };
    const admission = await throttle.admit(userId, remoteAddress);
    if (admission.kind === 'throttled') {
      audit.record('second_factor_throttled', { ...fields, by: admission.by });
      return { kind: 'throttled', retryAfterSeconds: admission.retryAfterSeconds };
    }
    const recovery = recoveryDigest(userId, code);
    const reason = recovery === undefined ? await useCode(userId, code.replace(/\s/g, '')) : await useRecoveryCode(userId, recovery);
    if (reason !== undefined) {
      audit.record('second_factor_failed', { ...fields, reason });
      return { kind: 'refused' };
    }
    await admission.succeeded();
    if (recovery !== undefined) {
      audit.record('recovery_code_used', fields);
    }
    return { kind: 'verified' };
  };

  /** @returns why it is refused. */
  async function useCode(userId: string, code: string): Promise<string | undefined> {
    const factor = await secondFactors.find(userId);
    if (factor === undefined) {
      return 'no second factor';
    }
    const secret = openTotpSecret(secrets, factor);
    if (secret === undefined) {
      return 'the secret cannot be opened: the server secret it was sealed with is gone';
    }
    const step = stepOfCode(secret, code, clock.now());
    if (step === undefined) {
      return 'wrong code';
    }
    return (await secondFactors.useStep(factor, step)) ? undefined : 'code used before';
  }

  async function useRecoveryCode(userId: string, recovery: string): Promise<string | undefined> {
    return (await secondFactors.useRecoveryCode(userId, recovery)) ? undefined : 'wrong recovery code';
  }
}
