import { calculateJwkThumbprint, EmbeddedJWK, errors, type JWTPayload, jwtVerify } from 'jose';
import { sha256 } from './digest.ts';
import { Refusal } from './refusal.ts';
import type { Time } from './time.ts';

/** What a proof must be made for. */
export interface ProvenRequest {
  readonly method: string;
  /** Absolute, without query and fragment. */
  readonly url: string;
  readonly token: string;
  /** `jkt` of the token's `cnf`. */
  readonly thumbprint: string;
}

export interface DpopProof {
  readonly jti: string;
  readonly nonce: string | undefined;
  /** Seconds since 1970 from which on it is too old by itself. */
  readonly expiresAt: number;
}

// RFC 9449 section 11.1: "a relatively brief period on the order of seconds or minutes".
const LONGEST_AGE_SECONDS = 60;
const MOST_AHEAD_SECONDS = 10;
const LONGEST_JTI = 256;
// RFC 7515 section 7.1. Two fields come as one with a comma between, which no JWS has (RFC 9449 section 4.3, check 1).
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/;

/** RFC 9449 section 4.3 as far as it needs no state: whether its nonce is ours and whether it was used before is decided elsewhere. */
export async function verifyDpopProof(
  header: string | undefined,
  request: ProvenRequest,
  algorithms: readonly string[],
  time: Time,
): Promise<DpopProof> {
  if (header === undefined) {
    throw invalid('a token that is bound to a key comes with one DPoP header');
  }
  if (!COMPACT_JWS.test(header)) {
    throw invalid('there must be one DPoP header, with a signed JWT in compact form');
  }
  const { payload, jwk } = await signedBy(header, algorithms);
  if ((await calculateJwkThumbprint(jwk)) !== request.thumbprint) {
    throw invalid('its key is not the one that the access token is bound to');
  }
  return checked(payload, request, await sha256(request.token), time.epochSeconds());
}

async function signedBy(
  proof: string,
  algorithms: readonly string[],
): Promise<{ readonly payload: JWTPayload; readonly jwk: Parameters<typeof calculateJwkThumbprint>[0] }> {
  try {
    // EmbeddedJWK takes public keys alone. The times are looked at below: a proof has no exp.
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms: [...algorithms],
      clockTolerance: MOST_AHEAD_SECONDS,
    });
    if (protectedHeader.jwk === undefined) {
      throw invalid('its header must have the public key as jwk');
    }
    return { payload, jwk: protectedHeader.jwk };
  } catch (error) {
    throw error instanceof errors.JOSEError || error instanceof TypeError || error instanceof DOMException
      ? invalid('it is not a dpop+jwt signed by the public key in its header', error.message)
      : error;
  }
}

function checked(payload: JWTPayload, { method, url }: ProvenRequest, tokenHash: string, now: number): DpopProof {
  const { jti, iat, htm, htu, ath, nonce } = payload;
  if (htm !== method) {
    throw invalid(`its htm must be ${method}`);
  }
  if (typeof htu !== 'string' || normalized(htu) !== normalized(url)) {
    throw invalid(`its htu must be ${url}`);
  }
  if (ath !== tokenHash) {
    throw invalid('its ath must be the hash of the access token');
  }
  if (typeof iat !== 'number' || iat > now + MOST_AHEAD_SECONDS || iat < now - LONGEST_AGE_SECONDS) {
    throw invalid(`its iat must be the present time: at most ${LONGEST_AGE_SECONDS} seconds ago, and ${MOST_AHEAD_SECONDS} ahead`);
  }
  if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_JTI) {
    throw invalid(`its jti must be a text of 1 to ${LONGEST_JTI} characters`);
  }
  if (nonce !== undefined && typeof nonce !== 'string') {
    throw invalid('its nonce must be a text');
  }
  return { jti, nonce, expiresAt: iat + LONGEST_AGE_SECONDS + 1 };
}

// RFC 3986 section 2.3.
const UNRESERVED = /[A-Za-z0-9\-._~]/;

/** RFC 9449 section 4.3 has `htu` compared after the normalization of RFC 3986 sections 6.2.2 and 6.2.3, without query and fragment. */
function normalized(uri: string): string | undefined {
  if (!URL.canParse(uri)) {
    return undefined;
  }
  const { origin, pathname } = new URL(uri);
  const path = pathname.replaceAll(/%[0-9a-f]{2}/gi, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return UNRESERVED.test(character) ? character : escape.toUpperCase();
  });
  return origin + path;
}

function invalid(problem: string, detail?: string): Refusal {
  return new Refusal('invalid_dpop_proof', `The DPoP proof is not valid: ${problem}.`, { detail });
}
