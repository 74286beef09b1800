import type { EpochSeconds } from '../core/clock.ts';

/** A user's authenticator: a secret that is shared with an app or a device (RFC 6238). A user has one at most. */
export interface TotpFactor {
  readonly userId: string;
  /** What `sealText` made of the secret. */
  readonly sealedSecret: string;
  /** The time step whose code was used last: none of it or before counts any more. */
  readonly lastStep: number;
  readonly createdAt: EpochSeconds;
}

/** The records of second factors, with the codes for the day the authenticator is lost. */
export interface SecondFactors {
  find(userId: string): Promise<TotpFactor | undefined>;
  /**
   * Gives the user a factor and its recovery codes (digests), in one transaction.
   * @param by who did it, for those who are told; the user by default.
   * @returns false when the user has one already, which stays: of two at once one wins.
   */
  enrol(factor: TotpFactor, recoveryDigests: readonly string[], by?: 'user' | 'operator'): Promise<boolean>;
  /**
   * Uses up the code of a time step, in one statement: of any number at once, on any node, one is told true. RFC 6238 section 5.2: a code
   * must not be accepted a second time.
   * @returns false when that step or a later one was used before, or the factor is not this one any more.
   */
  useStep(factor: Pick<TotpFactor, 'userId' | 'sealedSecret'>, step: number): Promise<boolean>;
  /** Uses up a recovery code, in one statement: one is told true. */
  useRecoveryCode(userId: string, recoveryDigest: string): Promise<boolean>;
  countRecoveryCodes(userId: string): Promise<number>;
  /**
   * Takes the factor and its recovery codes away and ends the user's sessions, which may rest on it, in one transaction.
   * @returns false when there was none; then nothing has changed.
   */
  remove(userId: string, now: EpochSeconds): Promise<boolean>;
}
