import type { Clock } from '../core/clock.ts';
import { openSealedText, type Seal, sealText } from '../keys/sealed-text.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { newRecoveryCodes, recoveryDigest } from './recovery-codes.ts';
import type { SecondFactors, TotpFactor } from './second-factor.ts';
import { newTotpSecret, stepOfCode } from './totp.ts';

/** A secret on its way to becoming a factor. */
export interface TotpOffer {
  /** Base32, for the user's authenticator. */
  readonly secret: string;
  /** The same for this server: it travels with the form, and is of use to this user alone. */
  readonly sealedSecret: string;
}

/** What became of an enrolment. Recovery codes are to be shown this once. */
export type EnrolmentOutcome =
  | { readonly kind: 'enrolled'; readonly recoveryCodes: readonly string[] }
  /** The code is not one of the offered secret. */
  | { readonly kind: 'wrong_code' }
  /** The user has a factor, which stays: whoever knows a password must not be able to put another one in its place. */
  | { readonly kind: 'enrolled_before' };

/** Gives users a second factor. */
export interface TotpEnrolment {
  /** Nothing is stored before it is confirmed. */
  offer(userId: string): TotpOffer;
  /** @returns an offer as it was made; undefined when it was not made here or not for this user. */
  reopen(userId: string, sealedSecret: string): TotpOffer | undefined;
  /** Enrols, if the code shows that the authenticator has the secret. That code is used up. */
  confirm(userId: string, offer: TotpOffer, code: string): Promise<EnrolmentOutcome>;
  /** Enrols without a code: for an operator who hands the secret to the user. */
  enrol(userId: string, offer: TotpOffer): Promise<EnrolmentOutcome>;
}

/** Opens the secret of a factor; undefined: the server secret it was sealed with is gone. */
export function openTotpSecret(
  secrets: Pick<ServerSecrets, 'byId'>,
  { userId, sealedSecret }: Pick<TotpFactor, 'userId' | 'sealedSecret'>,
): string | undefined {
  return openSealedText(secrets, sealOf(userId), sealedSecret);
}

export function totpEnrolment(rooms: {
  readonly secondFactors: Pick<SecondFactors, 'enrol'>;
  readonly secrets: Pick<ServerSecrets, 'newest' | 'byId'>;
  readonly clock: Clock;
}): TotpEnrolment {
  const { secondFactors, secrets, clock } = rooms;

  async function store(userId: string, { sealedSecret }: TotpOffer, lastStep: number, by: 'user' | 'operator'): Promise<EnrolmentOutcome> {
    const recoveryCodes = newRecoveryCodes();
    const digests = recoveryCodes.flatMap((code) => recoveryDigest(userId, code) ?? []);
    const isEnrolled = await secondFactors.enrol({ userId, sealedSecret, lastStep, createdAt: clock.now() }, digests, by);
    return isEnrolled ? { kind: 'enrolled', recoveryCodes } : { kind: 'enrolled_before' };
  }

  return {
    offer(userId) {
      const secret = newTotpSecret();
      return { secret, sealedSecret: sealText(secrets, sealOf(userId), secret) };
    },
    reopen(userId, sealedSecret) {
      const secret = openTotpSecret(secrets, { userId, sealedSecret });
      return secret === undefined ? undefined : { secret, sealedSecret };
    },
    async confirm(userId, offer, code) {
      const step = stepOfCode(offer.secret, code.replace(/\s/g, ''), clock.now());
      return step === undefined ? { kind: 'wrong_code' } : store(userId, offer, step, 'user');
    },
    enrol: (userId, offer) => store(userId, offer, 0, 'operator'),
  };
}

function sealOf(userId: string): Seal {
  return { domain: 'totp_secret_encryption', owner: userId };
}
