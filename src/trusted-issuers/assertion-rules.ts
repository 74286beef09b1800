import { isJwtId, JTI_PROBLEM, lifeOf } from '../clients/client-assertion-rules.ts';
import type { EpochSeconds } from '../core/clock.ts';

/** An assertion that its issuer has signed. */
export interface SignedGrantAssertion {
  readonly typ: unknown;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** What the rules hold it against. */
export interface GrantAssertionRules {
  /** Of this server. */
  readonly issuer: string;
  /** The client that presents it. */
  readonly clientId: string;
  readonly longestSeconds: number;
  readonly now: EpochSeconds;
}

/** By what an assertion counts once, and until when. */
export interface AcceptableGrantAssertion {
  readonly jti: string;
  readonly expiresAt: EpochSeconds;
}

/**
 * RFC 7523 section 3 for authorization grants: that an assertion is for this server, of now, of short life, can be told from any other, and is no
 * JWT of another kind.
 * @returns what is wrong, in words that the client may read: the issuer has signed it.
 */
export function acceptableGrant(
  { typ, claims }: SignedGrantAssertion,
  rules: GrantAssertionRules,
): AcceptableGrantAssertion | { readonly problem: string } {
  const problem = otherKindProblem(typ, claims, ['jwt']);
  return problem === undefined ? acceptableClaims(claims, rules) : { problem };
}

/** What every assertion that is an authorization grant keeps, whatever its type. */
export function acceptableClaims(
  claims: Readonly<Record<string, unknown>>,
  { issuer, clientId, longestSeconds, now }: GrantAssertionRules,
): AcceptableGrantAssertion | { readonly problem: string } {
  const { jti, client_id: namedClient } = claims;
  const problem = soleAudienceProblem(claims['aud'], issuer);
  if (problem !== undefined) {
    return { problem };
  }
  const times = timesOf(claims, longestSeconds, now);
  if ('problem' in times) {
    return times;
  }
  if (!isJwtId(jti)) {
    return { problem: JTI_PROBLEM };
  }
  if (namedClient !== undefined && namedClient !== clientId) {
    return { problem: 'client_id of the assertion is another client.' };
  }
  return { jti, expiresAt: times.expiresAt };
}

/**
 * Why a JWT was made for something else than to be an assertion. Some say so by their type (RFC 8725 section 3.11): ID-JAGs, access tokens, logout
 * tokens, client assertions. Others, which have none by tradition, by a claim: whatever answers a login, or tells of an event (section 3.12).
 * @param types those that it may have, in lower case; having none is right as well.
 */
export function otherKindProblem(typ: unknown, claims: Readonly<Record<string, unknown>>, types: readonly string[]): string | undefined {
  const name = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : '';
  if (typ !== undefined && !types.includes(name)) {
    return `typ of the assertion must be ${types.map((type) => type.toUpperCase()).join(' or ')}, or left out: it was made for something else.`;
  }
  const foreign = OF_OTHER_JWTS.find((claim) => claims[claim] !== undefined);
  return foreign === undefined ? undefined : `the assertion has the claim ${foreign}: it is another kind of JWT.`;
}

/** The issuer, as a text or as a list of one, which is how some libraries write every audience. With others it could be sent on by them. */
export function soleAudienceProblem(aud: unknown, issuer: string): string | undefined {
  return aud === issuer || (Array.isArray(aud) && aud.length === 1 && aud[0] === issuer)
    ? undefined
    : 'aud of the assertion must be the issuer of this server and nothing else (RFC 7523 section 3, RFC 10070 section 4).';
}

/** When an assertion ends, or why it is not one of now, or lives for too long. */
export function timesOf(
  claims: Readonly<Record<string, unknown>>,
  longestSeconds: number,
  now: EpochSeconds,
): { readonly expiresAt: EpochSeconds } | { readonly problem: string } {
  const { exp, iat } = claims;
  const life = lifeOf(claims, longestSeconds, now);
  // Some issuers put `iat` a few seconds back.
  return typeof iat === 'number' && typeof exp === 'number' && exp - iat > longestSeconds + SPARE_SECONDS && !('problem' in life)
    ? { problem: `the assertion lives for too long: ${longestSeconds} seconds are the most from iat to exp.` }
    : life;
}

const SPARE_SECONDS = 10;
const OF_OTHER_JWTS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'];
