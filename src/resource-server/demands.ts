import type { AccessTokenClaims } from './access-token.ts';
import { Refusal } from './refusal.ts';

/** What one operation of the API asks of a token beyond that it holds. */
export interface Demands {
  /** All of them must be in the token's scope. */
  readonly scopes?: readonly string[];
  /** RFC 9470: the login must have reached one of these classes. */
  readonly acrValues?: readonly string[];
  /** RFC 9470: the login must not be longer ago, in seconds. */
  readonly maxAgeSeconds?: number;
}

/** @throws Refusal insufficient_scope (RFC 6750 section 3.1) or insufficient_user_authentication (RFC 9470 section 3). */
export function checkDemands(claims: AccessTokenClaims, granted: readonly string[], demands: Demands, now: number): void {
  const { scopes = [], acrValues = [], maxAgeSeconds } = demands;
  if (!scopes.every((value) => granted.includes(value))) {
    const scope = scopes.join(' ');
    throw new Refusal('insufficient_scope', `The access token needs the scope: ${scope}`, { parameters: { scope } });
  }
  const isGoodEnough = acrValues.length === 0 || (claims.acr !== undefined && acrValues.includes(claims.acr));
  // A login whose time is not known may be any time ago.
  const isNewEnough = maxAgeSeconds === undefined || (typeof claims.auth_time === 'number' && now - claims.auth_time <= maxAgeSeconds);
  if (!isGoodEnough || !isNewEnough) {
    throw new Refusal('insufficient_user_authentication', `The user must log in ${isGoodEnough ? 'again' : 'with a stronger method'}.`, {
      // Section 3: both, so that the client asks for all of it at once.
      parameters: {
        ...(acrValues.length === 0 ? {} : { acr_values: acrValues.join(' ') }),
        ...(maxAgeSeconds === undefined ? {} : { max_age: String(maxAgeSeconds) }),
      },
    });
  }
}
