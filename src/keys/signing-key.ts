import { constants, sign as cryptoSign, type KeyObject, type SigningOptions } from 'node:crypto';
import type { SigningAlgorithm } from '../config/config.ts';
import { ofThisProcess } from './pool-signatures.ts';

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
 * A signing key whose private part is in this process. What is signed here is signed in batches; what takes long is done on the thread pool (see
 * JWS_PARAMETERS).
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

// Node's default is DER; JWS wants R and S side by side (RFC 7518 section 3.4).
const SIDE_BY_SIDE = { dsaEncoding: 'ieee-p1363' } as const;
// RFC 9964 section 5: ML-DSA itself and not HashML-DSA, with an empty context, which is what Node signs.
const ML_DSA = { digest: undefined, options: {}, signs: 'pool', verifies: 'pool' } as const;
const EDWARDS = { digest: undefined, options: {}, signs: 'main', verifies: 'main' } as const;

/**
 * What node:crypto needs to know beside the key, for signing and verifying alike (RFC 7518 sections 3.3 to 3.5, RFC 8037 section 3.1, RFC 9964), and the
 * threads that sign and verify. Medians for 600 bytes, Node 20 and 24 on a shared virtual core, in microseconds: to sign, ES256 26 to 49 and
 * Ed25519 36 to 44, where handing the work to the thread pool and back takes another 40 or more; RS256 240, ES384 800, ES512 2000 (OpenSSL has
 * fast code for P-256 alone), ML-DSA-44 530, -65 900, -87 930 at the median and several times that now and then (it tries until one fits), for
 * which all other requests would have to wait. To verify: RS256 30, ES256 90, Ed25519 110, ML-DSA 120 to 270, ES384 650, ES512 1500.
 */
export const JWS_PARAMETERS = {
  ES256: { digest: 'sha256', options: SIDE_BY_SIDE, signs: 'main', verifies: 'main' },
  ES384: { digest: 'sha384', options: SIDE_BY_SIDE, signs: 'pool', verifies: 'pool' },
  ES512: { digest: 'sha512', options: SIDE_BY_SIDE, signs: 'pool', verifies: 'pool' },
  RS256: { digest: 'sha256', options: { padding: constants.RSA_PKCS1_PADDING }, signs: 'pool', verifies: 'main' },
  PS256: {
    digest: 'sha256',
    // RFC 7518 section 3.5: the salt is as long as the hash.
    options: { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST },
    signs: 'pool',
    verifies: 'main',
  },
  Ed25519: EDWARDS,
  EdDSA: EDWARDS,
  'ML-DSA-44': ML_DSA,
  'ML-DSA-65': ML_DSA,
  'ML-DSA-87': ML_DSA,
} as const satisfies Record<SigningAlgorithm, JwsParameters>;

interface JwsParameters {
  readonly digest: string | undefined;
  readonly options: SigningOptions;
  readonly signs: 'main' | 'pool';
  readonly verifies: 'main' | 'pool';
}

function signerOf(alg: SigningAlgorithm, privateKey: KeyObject): (input: string) => Promise<string> | string {
  const { digest, options, signs } = JWS_PARAMETERS[alg];
  const key = { key: privateKey, ...options };
  if (signs === 'main') {
    return inBatches((input) => `${input}.${cryptoSign(digest, Buffer.from(input), key).toString('base64url')}`);
  }
  return (input) =>
    new Promise((resolve, reject) => {
      const end = ofThisProcess.begin();
      cryptoSign(digest, Buffer.from(input), key, (error, signature) => {
        end();
        return error === null ? resolve(`${input}.${signature.toString('base64url')}`) : reject(error);
      });
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
