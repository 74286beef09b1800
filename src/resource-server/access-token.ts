import { errors, type JWTPayload, jwtVerify } from 'jose';
import { dateOf } from '../core/clock.ts';
import type { Issuer } from './issuer.ts';
import { Unavailable } from './kept-document.ts';
import { invalidToken, Refusal } from './refusal.ts';
import type { Time } from './time.ts';

/** RFC 9068 section 2.2, as far as all tokens have it, and what this library reads. Whatever else the issuer put in is there too. */
export interface AccessTokenClaims extends JWTPayload {
  readonly iss: string;
  readonly sub: string;
  readonly aud: string | string[];
  readonly exp: number;
  readonly iat: number;
  readonly jti: string;
  readonly client_id: string;
  readonly scope?: string;
  /** RFC 9470 section 6.1. */
  readonly acr?: string;
  readonly auth_time?: number;
  readonly act?: ActorClaim;
  /** RFC 8693 section 4.4: who may act, for the issuer's use. */
  readonly may_act?: Readonly<Record<string, unknown>>;
}

/** RFC 8693 section 4.1: who acts for the subject. Decide by the outermost alone: those within acted before, and are information. */
export interface ActorClaim {
  readonly sub: string;
  readonly act?: ActorClaim;
  readonly [claim: string]: unknown;
}

export interface TokenExpectations {
  readonly issuer: string;
  /** One of them must be the token's audience, or among them. */
  readonly audiences: readonly string[];
  readonly algorithms: readonly string[];
  /** How far apart the clocks of issuer and resource server may be, in seconds. */
  readonly clockToleranceSeconds: number;
}

/** Asymmetric ones alone: a resource server that verified an HMAC could make tokens itself. */
export const ALGORITHMS: readonly string[] = [
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ML-DSA-44',
  'ML-DSA-65',
  'ML-DSA-87',
];

// RFC 9068 section 2.2: REQUIRED. jose asks for iss and aud by itself.
const REQUIRED = ['sub', 'exp', 'iat', 'jti', 'client_id'];

/** RFC 9068 section 4. @returns how to verify a token. It throws a Refusal when the token does not hold, and Unavailable when there is no key to tell by. */
export function accessTokenVerifier(
  { key }: Issuer,
  expected: TokenExpectations,
  time: Time,
): (token: string) => Promise<AccessTokenClaims> {
  const { issuer, clockToleranceSeconds: clockTolerance } = expected;
  const audience = [...expected.audiences];
  const algorithms = [...expected.algorithms];

  return async (token) => {
    try {
      const { payload } = await jwtVerify(token, key, {
        // Section 4: "MUST reject tokens carrying any other value", or an ID token would do.
        typ: 'at+jwt',
        issuer,
        audience,
        algorithms,
        clockTolerance,
        requiredClaims: REQUIRED,
        currentDate: dateOf(time.epochSeconds()),
      });
      return readable(payload);
    } catch (error) {
      if (error instanceof errors.JOSEError) {
        throw invalidToken(error.message);
      }
      throw error instanceof Refusal || error instanceof Unavailable ? error : new Unavailable('No key to verify by.', { cause: error });
    }
  };
}

function readable(claims: JWTPayload): AccessTokenClaims {
  for (const name of ['sub', 'jti', 'client_id']) {
    if (typeof claims[name] !== 'string') {
      throw invalidToken(`${name} is no text`);
    }
  }
  if (claims['scope'] !== undefined && typeof claims['scope'] !== 'string') {
    throw invalidToken('scope is no text');
  }
  if (claims['act'] !== undefined && !isActor(claims['act'], MOST_ACTORS)) {
    throw invalidToken('act names nobody, or goes too deep');
  }
  return claims as AccessTokenClaims;
}

// Whoever walks down the chain must come to its end.
const MOST_ACTORS = 64;

function isActor(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null || !('sub' in value) || typeof value.sub !== 'string' || most === 0) {
    return false;
  }
  return !('act' in value) || isActor(value.act, most - 1);
}
