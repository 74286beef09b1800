import { createHash } from 'node:crypto';
import { compactVerify, decodeProtectedHeader } from 'jose';
import type { EpochSeconds } from '../core/clock.ts';
import { InvalidDpopProof } from './dpop-errors.ts';
import { DPOP_ALGORITHMS, type DpopAlgorithm, type DpopKey, dpopKey } from './dpop-key.ts';
import { normalizedTarget } from './target-uri.ts';

/** The request that a proof must be made for. */
export interface ProvenRequest {
  readonly method: string;
  /** From the configuration of the server, never from what the request says of itself. */
  readonly url: string;
  /** Its other address, where requests come with a certificate (`mtls_endpoint_aliases`); undefined: it has none. */
  readonly alias?: string | undefined;
  /** At a protected resource: the access token that the request presents. */
  readonly accessToken?: string | undefined;
  /** What may sign a proof of this client; absent: all there is. */
  readonly algorithms?: readonly DpopAlgorithm[];
}

/** What a proof says, once it holds. Whether its nonce is one of ours, and whether it was used before, is not decided here. */
export interface DpopProof {
  /** `jkt` of its key. */
  readonly thumbprint: string;
  readonly jti: string;
  readonly nonce: string | undefined;
  /** From when on it is too old. */
  readonly expiresAt: EpochSeconds;
}

// RFC 9449 section 11.1: "a relatively brief period on the order of seconds or minutes".
const LONGEST_AGE_SECONDS = 60;
// FAPI 2.0 Security Profile section 5.3.2.1: up to 10 seconds ahead of our clock shall be accepted.
const MOST_AHEAD_SECONDS = 10;
const LONGEST_JTI = 256;
// RFC 7515 section 7.1. Two header fields reach us as one, joined by a comma, which no JWS has.
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/**
 * Holds a DPoP proof against a request, by every check of RFC 9449 section 4.3 that needs no state.
 * @param header the `DPoP` field of the request.
 * @throws InvalidDpopProof naming the first check it fails.
 */
export async function verifyDpopProof(header: string | readonly string[], request: ProvenRequest, now: EpochSeconds): Promise<DpopProof> {
  if (typeof header !== 'string' || header.includes(',')) {
    throw invalid('there must not be more than one DPoP header');
  }
  if (!COMPACT_JWS.test(header)) {
    throw invalid('it is not a signed JWT in compact form');
  }
  const { algorithm, jwk } = checkedHeader(header, request.algorithms ?? DPOP_ALGORITHMS);
  const key = await dpopKey(jwk, algorithm).catch((error: unknown) => {
    throw error instanceof Error ? invalid(error.message) : error;
  });
  const claims = await signedClaims(header, key, algorithm);
  const { jti, iat, nonce } = checkedClaims(claims, request, now);
  return {
    thumbprint: key.thumbprint,
    jti,
    nonce,
    // The first second at which it is refused.
    expiresAt: Math.floor(iat) + LONGEST_AGE_SECONDS + 1,
  };
}

function checkedHeader(
  proof: string,
  algorithms: readonly DpopAlgorithm[],
): { readonly algorithm: DpopAlgorithm; readonly jwk: Readonly<Record<string, unknown>> } {
  let header: Readonly<Record<string, unknown>>;
  try {
    header = decodeProtectedHeader(proof);
  } catch {
    throw invalid('its header is not a JSON object in base64url');
  }
  if (header['typ'] !== 'dpop+jwt') {
    throw invalid('its typ must be dpop+jwt');
  }
  const algorithm = algorithms.find((name) => name === header['alg']);
  if (algorithm === undefined) {
    throw invalid(`its alg must be one of ${algorithms.join(', ')}`);
  }
  // RFC 7515 section 4.1.11: what must be understood is refused, as nothing is defined for proofs.
  if (header['crit'] !== undefined) {
    throw invalid('its header must not have crit');
  }
  const { jwk } = header;
  if (typeof jwk !== 'object' || jwk === null || Array.isArray(jwk)) {
    throw invalid('its header must have the public key as jwk');
  }
  return { algorithm, jwk: jwk as Readonly<Record<string, unknown>> };
}

async function signedClaims(proof: string, { publicKey }: DpopKey, algorithm: DpopAlgorithm): Promise<Readonly<Record<string, unknown>>> {
  const { payload } = await compactVerify(proof, publicKey, { algorithms: [algorithm] }).catch((error: unknown) => {
    throw invalid('its signature is not by the key in its header', error instanceof Error ? error.message : undefined);
  });
  const claims = jsonOf(payload);
  if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) {
    throw invalid('its claims are not a JSON object');
  }
  return claims as Readonly<Record<string, unknown>>;
}

function jsonOf(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch {
    return undefined;
  }
}

function checkedClaims(
  claims: Readonly<Record<string, unknown>>,
  request: ProvenRequest,
  now: EpochSeconds,
): { readonly jti: string; readonly iat: EpochSeconds; readonly nonce: string | undefined } {
  const { jti, iat, htm, htu, ath, nonce, exp = now, nbf = now } = claims;
  if (htm !== request.method) {
    throw invalid(`its htm must be ${request.method}`);
  }
  if (typeof htu !== 'string' || !isTarget(htu, request)) {
    throw invalid(`its htu must be ${request.url}`);
  }
  if (typeof iat !== 'number' || iat > now + MOST_AHEAD_SECONDS || iat < now - LONGEST_AGE_SECONDS) {
    throw invalid(
      `its iat must be the present time: at most ${LONGEST_AGE_SECONDS} seconds ago, and ${MOST_AHEAD_SECONDS} ahead`,
      `iat ${typeof iat === 'number' ? iat : typeof iat}, now ${now}`,
    );
  }
  // No claims of a proof, but a JWT that has them means them (RFC 7519 section 4.1).
  if (typeof exp !== 'number' || exp < now - MOST_AHEAD_SECONDS || typeof nbf !== 'number' || nbf > now + MOST_AHEAD_SECONDS) {
    throw invalid('its exp or nbf does not hold');
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_JTI) {
    throw invalid(`its jti must be a text of 1 to ${LONGEST_JTI} characters`);
  }
  if (request.accessToken !== undefined && ath !== createHash('sha256').update(request.accessToken).digest('base64url')) {
    throw invalid('its ath must be the hash of the access token');
  }
  if (nonce !== undefined && typeof nonce !== 'string') {
    throw invalid('its nonce must be a text');
  }
  return { jti, iat, nonce };
}

/** Which of its addresses a request was sent to is not asked: what the request itself says of that proves nothing. */
function isTarget(htu: string, { url, alias = url }: ProvenRequest): boolean {
  return [url, alias].some((own) => normalizedTarget(own) === normalizedTarget(htu));
}

/** The client made the proof itself, so telling what is wrong with it tells nobody anything new. */
function invalid(problem: string, detail?: string): InvalidDpopProof {
  return new InvalidDpopProof(`The DPoP proof is not valid: ${problem}.`, detail);
}
