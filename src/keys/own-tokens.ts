import { verify as cryptoVerify, type KeyObject } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { SigningAlgorithm } from '../config/config.ts';
import { JWS_PARAMETERS } from './signing-key.ts';

/** The public half of one of our published keys. */
export interface VerificationKey {
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  readonly publicKey: KeyObject;
}

/** Recognises the tokens that this server signed itself: an ID token hint, an access token at userinfo or introspection. */
export interface OwnTokens {
  /**
   * The claims of a compact JWS of type `typ` whose signature is by one of our published keys; undefined for anything else, whatever is
   * wrong with it. Says nothing about `iss`, `aud`, `exp` or any other claim: those are the caller's to check. Never throws for bad input.
   */
  verify(token: string, expected: { readonly typ: string }): Promise<Readonly<Record<string, unknown>> | undefined>;
}

/** @param keys where a published key is found by its `kid`: the key ring. */
export function ownTokens(keys: { verificationKey(kid: string): VerificationKey | undefined }): OwnTokens {
  // A token that is asked about again costs no second verification. What it said of its key is looked at each time: a key that was taken back
  // bears nothing out any more.
  const verified = new LRUCache<string, Verified>({ max: MOST_VERIFIED });

  return {
    async verify(token, { typ }) {
      const known = verified.get(token);
      // A kid is the thumbprint of its key: while there is one of that name, it is that key.
      if (known?.typ === typ && keys.verificationKey(known.kid) !== undefined) {
        return known.claims;
      }
      const [header, payload, signature, ...more] = token.split('.');
      if (header === undefined || payload === undefined || signature === undefined || more.length > 0) {
        return undefined;
      }
      const key = keyNamedBy(jsonObject(header), typ, keys);
      const signatureBytes = decoded(signature);
      if (key === undefined || signatureBytes === undefined || !(await isSignedBy(key, `${header}.${payload}`, signatureBytes))) {
        return undefined;
      }
      const claims = jsonObject(payload);
      if (claims !== undefined) {
        verified.set(token, { typ, kid: key.kid, claims: Object.freeze(claims) });
      }
      return claims;
    },
  };
}

// About two kilobytes each.
const MOST_VERIFIED = 2000;

interface Verified {
  readonly typ: string;
  readonly kid: string;
  readonly claims: Readonly<Record<string, unknown>>;
}

/**
 * The header must be the one our signer writes, member for member. So no key that a token brings along or points at (`jwk`, `jku`, `x5c`,
 * `x5u`) is ever looked at, `crit` and `b64` cannot change the meaning, and the algorithm is the key's, not the token's choice (RFC 8725
 * sections 3.1, 3.2, 3.10 and 3.11).
 */
function keyNamedBy(
  header: Readonly<Record<string, unknown>> | undefined,
  typ: string,
  keys: { verificationKey(kid: string): VerificationKey | undefined },
): VerificationKey | undefined {
  if (header === undefined || Object.keys(header).length !== 3 || header['typ'] !== typ || typeof header['kid'] !== 'string') {
    return undefined;
  }
  const key = keys.verificationKey(header['kid']);
  return key !== undefined && header['alg'] === key.alg ? key : undefined;
}

async function isSignedBy(key: VerificationKey, input: string, signature: Buffer): Promise<boolean> {
  const { digest, options, verifies } = JWS_PARAMETERS[key.alg];
  const data = Buffer.from(input);
  const publicKey = { key: key.publicKey, ...options };
  try {
    return verifies === 'main'
      ? cryptoVerify(digest, data, publicKey, signature)
      : await new Promise((resolve, reject) => {
          cryptoVerify(digest, data, publicKey, signature, (error, isRight) => (error === null ? resolve(isRight) : reject(error)));
        });
  } catch {
    // OpenSSL throws instead of answering false for some malformed signatures.
    return false;
  }
}

/** The bytes of canonical base64url text: Node decodes padding, `+`, `/` and stray bits too, and one token would then have many spellings. */
function decoded(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}

function jsonObject(segment: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = decoded(segment);
  if (bytes === undefined) {
    return undefined;
  }
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
