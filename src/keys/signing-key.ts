import { constants, sign as cryptoSign, type KeyObject } from 'node:crypto';
import type { SigningAlgorithm } from '../config/config.ts';

/**
 * A private key that signs, wherever it lives: in this process, or behind a KMS or HSM, which is why the answer may be a promise (`await` it
 * either way).
 */
export interface SigningKey {
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string;
  readonly alg: SigningAlgorithm;
  /**
   * Makes a compact JWS (RFC 7515 section 7.1) over the claims as JSON, with the protected header `alg`, `typ`, `kid` and nothing else.
   * Members that are undefined are left out. `typ` is one of the few constants of the program, such as `at+jwt`: never a client's text.
   */
  sign(typ: string, claims: object): Promise<string> | string;
}

/**
 * A signing key whose private part is in this process. EC and Ed25519 signatures are made here, in batches: handing 45 microseconds of work to
 * the thread pool costs more than the work. An RSA signature takes a millisecond and goes to the thread pool.
 */
export function localSigningKey(key: { readonly kid: string; readonly alg: SigningAlgorithm; readonly privateKey: KeyObject }): SigningKey {
  const { kid, alg } = key;
  const signInput = signerOf(alg, key.privateKey);
  const prefixes = new Map<string, string>();

  function prefixFor(typ: string): string {
    const known = prefixes.get(typ);
    if (known !== undefined) {
      return known;
    }
    const prefix = `${Buffer.from(JSON.stringify({ alg, typ, kid })).toString('base64url')}.`;
    prefixes.set(typ, prefix);
    return prefix;
  }

  return {
    kid,
    alg,
    sign: (typ, claims) => signInput(prefixFor(typ) + Buffer.from(JSON.stringify(claims)).toString('base64url')),
  };
}

/** What node:crypto needs to know beside the key, for signing and verifying alike (RFC 7518 sections 3.3 to 3.5, RFC 8037 section 3.1). */
export const JWS_PARAMETERS = {
  // Node's default is DER; JWS wants R and S side by side (RFC 7518 section 3.4).
  ES256: { digest: 'sha256', options: { dsaEncoding: 'ieee-p1363' } },
  RS256: { digest: 'sha256', options: { padding: constants.RSA_PKCS1_PADDING } },
  // RFC 7518 section 3.5: the salt is as long as the hash.
  PS256: { digest: 'sha256', options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST } },
  EdDSA: { digest: undefined, options: {} },
} as const;

function signerOf(alg: SigningAlgorithm, privateKey: KeyObject): (input: string) => Promise<string> | string {
  const { digest, options } = JWS_PARAMETERS[alg];
  const key = { key: privateKey, ...options };
  if (alg === 'ES256' || alg === 'EdDSA') {
    return inBatches((input) => `${input}.${cryptoSign(digest, Buffer.from(input), key).toString('base64url')}`);
  }
  return (input) =>
    new Promise((resolve, reject) => {
      cryptoSign(digest, Buffer.from(input), key, (error, signature) =>
        error === null ? resolve(`${input}.${signature.toString('base64url')}`) : reject(error),
      );
    });
}

/**
 * What is asked for in one turn of the event loop is signed together at its end, one right after the other, and answered together: the code
 * and data of the signature stay in the processor's caches, and so do those of the answers (docs/performance.md). A request that comes alone
 * waits for nothing but the end of its turn.
 */
function inBatches(signNow: (input: string) => string): (input: string) => Promise<string> {
  let waiting: { readonly input: string; resolve(signed: string): void; reject(error: unknown): void }[] = [];

  function signWaiting(): void {
    const batch = waiting;
    waiting = [];
    for (const { input, resolve, reject } of batch) {
      try {
        resolve(signNow(input));
      } catch (error) {
        reject(error);
      }
    }
  }

  return (input) =>
    new Promise((resolve, reject) => {
      if (waiting.push({ input, resolve, reject }) === 1) {
        setImmediate(signWaiting);
      }
    });
}
