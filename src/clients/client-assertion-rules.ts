import type { EpochSeconds } from '../core/clock.ts';

/** A client assertion whose signature is right. */
export interface SignedAssertion {
  readonly typ: unknown;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What the rules hold an assertion against. */
export interface AssertionRules {
  readonly clientId: string;
  readonly issuer: string;
  /** Audiences that this client may name in place of the issuer or beside it; none unless it is registered so. */
  readonly legacyAudiences: readonly string[];
  /** Whether `aud` may be a list. FAPI 2.0 Security Profile section 5.3.2.1: not for its clients. */
  readonly takesLists: boolean;
  readonly now: EpochSeconds;
}

/** An assertion that keeps the rules. */
export interface AcceptableAssertion {
  readonly jti: string;
  readonly expiresAt: EpochSeconds;
  /** The audience, where it was taken for the client's age alone. */
  readonly legacyAudience: string | undefined;
}

/** How long an assertion may live: it is made for one request. */
const LONGEST_LIFE_SECONDS = 300;
/** How far clocks may be apart. FAPI 2.0 Security Profile section 5.3.2.1 wants 10 s ahead accepted, and more than 60 s refused. */
const CLOCK_TOLERANCE_SECONDS = 60;
const LONGEST_JTI = 512;

/**
 * RFC 7523 section 3 with RFC 10070, and OpenID Connect Core section 9, which makes `jti` required: that the assertion is this client's, for
 * this server alone, of now, and can be told from any other.
 * @returns what is wrong, in words that the client may read: it has proved by the signature that the assertion is its own.
 */
export function acceptable({ typ, claims }: SignedAssertion, rules: AssertionRules): AcceptableAssertion | { readonly problem: string } {
  const { clientId, now } = rules;
  const { iss, sub, jti } = claims;
  if (iss !== clientId || sub !== clientId) {
    return { problem: 'iss and sub of the assertion must both be the client_id.' };
  }
  if (!isAllowedType(typ)) {
    return { problem: 'typ of the assertion must be client-authentication+jwt (RFC 10070 section 4).' };
  }
  const audience = audienceOf(claims['aud'], rules);
  if (audience === undefined) {
    return { problem: 'aud of the assertion must be the issuer of this server and nothing else (RFC 10070 section 4).' };
  }
  const time = lifeOf(claims, LONGEST_LIFE_SECONDS, now);
  if ('problem' in time) {
    return time;
  }
  if (!isJwtId(jti)) {
    return { problem: JTI_PROBLEM };
  }
  return { jti, expiresAt: time.expiresAt, legacyAudience: audience === rules.issuer ? undefined : audience };
}

/** RFC 7523 section 3 (4) to (6): that an assertion is of now, and does not live for long. @returns when it ends, or what is wrong. */
export function lifeOf(
  { exp, nbf, iat }: Readonly<Record<string, unknown>>,
  longestSeconds: number,
  now: EpochSeconds,
): { readonly expiresAt: EpochSeconds } | { readonly problem: string } {
  if (!isDate(exp) || exp <= now) {
    return { problem: 'the assertion has expired, or has no exp: make a new one for each request.' };
  }
  if (exp > now + longestSeconds + CLOCK_TOLERANCE_SECONDS) {
    return { problem: `exp of the assertion is too far ahead: an assertion lives ${longestSeconds} seconds at most.` };
  }
  if ([nbf, iat].some((date) => date !== undefined && (!isDate(date) || date > now + CLOCK_TOLERANCE_SECONDS))) {
    return { problem: 'nbf or iat of the assertion lies in the future: check the clock.' };
  }
  if (isDate(iat) && iat < now - longestSeconds - CLOCK_TOLERANCE_SECONDS) {
    return { problem: 'iat of the assertion is too long ago: make a new one for each request.' };
  }
  // A date may have a fraction (RFC 7519 section 2); those we store have none.
  return { expiresAt: Math.ceil(exp) };
}

/** Whether a claim can be the identifier by which an assertion counts once. */
export function isJwtId(jti: unknown): jti is string {
  return typeof jti === 'string' && jti !== '' && jti.length <= LONGEST_JTI;
}

/** What is said of one that cannot. */
export const JTI_PROBLEM = `jti of the assertion must be a text of 1 to ${LONGEST_JTI} characters, another one each time.`;

/**
 * RFC 10070 section 4 asks clients for the type, and servers not to refuse a JWT without one. A JWT that is typed as something else was made
 * for something else (RFC 8725 section 3.11).
 */
function isAllowedType(typ: unknown): boolean {
  if (typ === undefined) {
    return true;
  }
  const name = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '';
  return name === 'client-authentication+jwt' || name === 'jwt';
}

/**
 * The audience: the issuer, as a text or as a list of one, which is how some libraries write every audience. One that names others too could
 * have been made for them, and sent on by them.
 */
function audienceOf(aud: unknown, { issuer, legacyAudiences, takesLists }: AssertionRules): string | undefined {
  if (Array.isArray(aud) && !takesLists) {
    return undefined;
  }
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (named.length === 1 && named[0] === issuer) {
    return issuer;
  }
  const ours: readonly unknown[] = [issuer, ...legacyAudiences];
  const isLegacy = legacyAudiences.length > 0 && named.length > 0 && named.every((one) => ours.includes(one));
  return isLegacy ? named.join(' ') : undefined;
}

function isDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
