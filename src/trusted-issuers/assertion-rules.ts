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
  const { issuer, clientId, longestSeconds, now } = rules;
  // RFC 8725 section 3.11: ID-JAGs, access tokens, logout tokens, client assertions and others are typed as what they are.
  if (!isPlainType(typ)) {
    return { problem: 'typ of the assertion must be JWT, or left out: it was made for something else.' };
  }
  // And of what has no type by tradition: a token that answers a login, or tells of an event, is none either (RFC 8725 section 3.12).
  const foreign = OF_OTHER_JWTS.find((name) => claims[name] !== undefined);
  if (foreign !== undefined) {
    return { problem: `the assertion has the claim ${foreign}: it is another kind of JWT.` };
  }
  return acceptableClaims(claims, { issuer, clientId, longestSeconds, now });
}

/** The rules that every assertion which is an authorization grant keeps, whatever its type. */
function acceptableClaims(
  claims: Readonly<Record<string, unknown>>,
  { issuer, clientId, longestSeconds, now }: GrantAssertionRules,
): AcceptableGrantAssertion | { readonly problem: string } {
  const { exp, iat, jti } = claims;
  if (!isSoleAudience(claims['aud'], issuer)) {
    return {
      problem: 'aud of the assertion must be the issuer of this server and nothing else (RFC 7523 section 3, RFC 10070 section 4).',
    };
  }
  const life = lifeOf(claims, longestSeconds, now);
  if ('problem' in life) {
    return life;
  }
  if (typeof iat === 'number' && typeof exp === 'number' && exp - iat > longestSeconds) {
    return { problem: `the assertion lives for too long: ${longestSeconds} seconds are the most from iat to exp.` };
  }
  if (!isJwtId(jti)) {
    return { problem: JTI_PROBLEM };
  }
  if (claims['client_id'] !== undefined && claims['client_id'] !== clientId) {
    return { problem: 'client_id of the assertion is another client.' };
  }
  return { jti, expiresAt: life.expiresAt };
}

const OF_OTHER_JWTS = ['nonce', 'at_hash', 'c_hash', 's_hash', 'events'];

function isPlainType(typ: unknown): boolean {
  return typ === undefined || (typeof typ === 'string' && /^(?:application\/)?jwt$/i.test(typ));
}

/** The issuer, as a text or as a list of one, which is how some libraries write every audience. With others it could be sent on by them. */
function isSoleAudience(aud: unknown, issuer: string): boolean {
  return aud === issuer || (Array.isArray(aud) && aud.length === 1 && aud[0] === issuer);
}
