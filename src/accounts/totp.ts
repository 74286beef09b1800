import { Secret, TOTP } from 'otpauth';
import type { EpochSeconds } from '../core/clock.ts';

// What every authenticator app knows; some ignore anything else in the URI and show wrong codes.
const PARAMETERS = { algorithm: 'SHA1', digits: 6, period: 30 } as const;
const SECRET_BYTES = 20;
/** RFC 6238 section 5.2: "at most one time step is allowed as the network delay"; the same for a clock that is ahead. */
const SKEW_STEPS = 1;

/** A new secret, base32: 160 random bits, the length that RFC 4226 section 4 (R6) recommends. */
export function newTotpSecret(): string {
  return new Secret({ size: SECRET_BYTES }).base32;
}

/** The URI that authenticator apps read, mostly as a QR code. @param about `issuer`: whose login it is for; `username`: which account there. */
export function totpUri(secret: string, about: { readonly issuer: string; readonly username: string }): string {
  // A colon would end the issuer's part of the label.
  return new TOTP({ ...PARAMETERS, secret, issuer: about.issuer.replaceAll(':', ' '), label: about.username }).toString();
}

/** The time step of RFC 6238 section 4.2. */
export function timeStep(now: EpochSeconds): number {
  return Math.floor(now / PARAMETERS.period);
}

/** The time step whose code this is, looked for around `now`; undefined: of none. */
export function stepOfCode(secret: string, code: string, now: EpochSeconds): number | undefined {
  if (!/^\d{6}$/.test(code)) {
    return undefined;
  }
  const delta = TOTP.validate({
    ...PARAMETERS,
    token: code,
    secret: Secret.fromBase32(secret),
    timestamp: now * 1000,
    window: SKEW_STEPS,
  });
  return delta === null ? undefined : timeStep(now) + delta;
}
