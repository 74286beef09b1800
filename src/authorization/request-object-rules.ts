import type { EpochSeconds } from '../core/clock.ts';

/** What a request object is held against. */
export interface RequestObjectRules {
  readonly clientId: string;
  readonly issuer: string;
  readonly now: EpochSeconds;
  /** Whether there must be an `nbf` (FAPI 2.0 Message Signing section 5.3.1). */
  readonly needsNotBefore: boolean;
}

/** How far clocks may be apart. FAPI 2.0 Security Profile section 5.3.2.1 (13) wants 10 s ahead accepted of any JWT, and more than 60 s refused. */
const CLOCK_TOLERANCE_SECONDS = 60;
/** FAPI 2.0 Message Signing section 5.3.1: `nbf` no longer ago than this, and `exp` no longer after it. */
const LONGEST_LIFE_SECONDS = 3600;

/**
 * RFC 9101 sections 4, 6.3 and 10.8, with the times of FAPI 2.0 Message Signing for everybody: that a request object, whose signature is right, is
 * this client's, for this server, of now, and no other kind of JWT.
 * @returns what is wrong, in words that the client may read.
 */
export function requestObjectProblem(
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
  { clientId, issuer, now, needsNotBefore }: RequestObjectRules,
): string | undefined {
  const { iss, sub, aud, exp, nbf, iat } = claims;
  if (!isAllowedType(header['typ']) || 'crit' in header || 'b64' in header) {
    return 'The typ of the request object must be oauth-authz-req+jwt (RFC 9101 section 10.8), and it has no crit.';
  }
  if (claims['client_id'] !== clientId) {
    return 'The client_id inside the request object must be the one outside (RFC 9101 section 6.3).';
  }
  if (iss !== undefined && iss !== clientId) {
    return 'The iss of the request object must be the client_id.';
  }
  if (!audiencesOf(aud).includes(issuer)) {
    return 'The aud of the request object must be the issuer of this server.';
  }
  // A client assertion says so of itself; what could pass for one is no request (RFC 9101 section 10.8).
  if (sub === clientId) {
    return 'The sub of the request object must not be the client_id.';
  }
  if (!isDate(exp) || exp <= now) {
    return 'The request object has expired, or has no exp: make a new one for each request.';
  }
  if ([nbf, iat].some((date) => date !== undefined && (!isDate(date) || date > now + CLOCK_TOLERANCE_SECONDS))) {
    return 'The nbf or iat of the request object lies in the future: check the clock.';
  }
  if (needsNotBefore && (!isDate(nbf) || nbf < now - LONGEST_LIFE_SECONDS || exp > nbf + LONGEST_LIFE_SECONDS)) {
    return `The request object needs an nbf of at most ${LONGEST_LIFE_SECONDS} seconds ago, and an exp of at most as much after it.`;
  }
  // That also keeps out an nbf of long ago, since exp is ahead.
  if (exp > (isDate(nbf) ? nbf : now) + LONGEST_LIFE_SECONDS + CLOCK_TOLERANCE_SECONDS) {
    return `The request object lives too long: ${LONGEST_LIFE_SECONDS} seconds at most.`;
  }
  // RFC 9101 section 4: "request and request_uri parameters MUST NOT be included in Request Objects."
  if ('request' in claims || 'request_uri' in claims) {
    return 'A request object must not hold or refer to another one.';
  }
  return undefined;
}

/** Typed as what it is, or as any JWT; one that is typed as something else was made for something else (RFC 8725 section 3.11). */
function isAllowedType(typ: unknown): boolean {
  const name = typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : typ;
  return name === undefined || name === 'oauth-authz-req+jwt' || name === 'jwt';
}

function audiencesOf(aud: unknown): readonly unknown[] {
  return Array.isArray(aud) ? aud : [aud];
}

function isDate(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
