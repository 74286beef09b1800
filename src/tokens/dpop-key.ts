import type { CryptoKey, JWK } from 'jose';
import { calculateJwkThumbprint, importJWK } from 'jose';
import { AVAILABLE_ML_DSA, ML_DSA_ALGORITHMS } from '../core/ml-dsa.ts';

// RFC 9964 section 3: the algorithm is a part of such a key.
const AKP = { kty: 'AKP', crv: undefined, members: ['alg', 'pub'] } as const;

/** The key that each algorithm takes, and the members that make it one: those of its RFC 7638 thumbprint. */
const KEYS = {
  ES256: { kty: 'EC', crv: 'P-256', members: ['x', 'y'] },
  ES384: { kty: 'EC', crv: 'P-384', members: ['x', 'y'] },
  ES512: { kty: 'EC', crv: 'P-521', members: ['x', 'y'] },
  Ed25519: { kty: 'OKP', crv: 'Ed25519', members: ['x'] },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', members: ['x'] },
  PS256: { kty: 'RSA', crv: undefined, members: ['n', 'e'] },
  RS256: { kty: 'RSA', crv: undefined, members: ['n', 'e'] },
  'ML-DSA-44': AKP,
  'ML-DSA-65': AKP,
  'ML-DSA-87': AKP,
} as const;

/** A JWS algorithm a DPoP proof may have: asymmetric ones alone (RFC 9449 section 4.2). */
export type DpopAlgorithm = keyof typeof KEYS;

/** As they stand in the metadata and in challenges (RFC 9449 sections 5.1 and 7.1). */
export const DPOP_ALGORITHMS = [
  ...Object.keys(KEYS).filter((name) => !ML_DSA_ALGORITHMS.some((one) => one === name)),
  ...AVAILABLE_ML_DSA,
] as readonly string[] as readonly [DpopAlgorithm, ...DpopAlgorithm[]];

/** A public key as a proof brings it along. */
export interface DpopKey {
  readonly publicKey: CryptoKey;
  /** RFC 7638 with SHA-256, base64url: the `jkt` of what is bound to the key. */
  readonly thumbprint: string;
}

// RFC 7518 section 6: what only a private or a symmetric key has.
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k', 'priv'];
// A stranger's key decides what a verification costs. Bits of the modulus, and base64url characters of the exponent (AQAB and shorter ones).
const LEAST_MODULUS_BITS = 2048;
const MOST_MODULUS_BITS = 4096;
const LONGEST_EXPONENT = 6;

/** @throws Error that says what is wrong with the `jwk` of the header, as half a sentence. */
export async function dpopKey(jwk: Readonly<Record<string, unknown>>, algorithm: DpopAlgorithm): Promise<DpopKey> {
  const { kty, crv, members } = KEYS[algorithm];
  const found = PRIVATE_MEMBERS.find((name) => Object.hasOwn(jwk, name));
  if (found !== undefined) {
    throw new Error(`its jwk is not a public key, but has the member ${found}. Take another key: this one is no longer a secret`);
  }
  const isNamed = kty === 'AKP' || jwk['alg'] !== undefined;
  if (jwk['kty'] !== kty || (crv !== undefined && jwk['crv'] !== crv) || (isNamed && jwk['alg'] !== algorithm)) {
    throw new Error(`its jwk is not a key for ${algorithm}`);
  }
  // Picked by an allow-list, so that neither key_ops nor anything else that a client writes there has a say.
  const bare: JWK = { kty, ...(crv === undefined ? {} : { crv }), ...Object.fromEntries(members.map((name) => [name, jwk[name]])) };
  if (kty === 'RSA') {
    refuseUnusualRsa(bare);
  }
  try {
    return { publicKey: (await importJWK(bare, algorithm)) as CryptoKey, thumbprint: await calculateJwkThumbprint(bare) };
  } catch (cause) {
    throw new Error('its jwk is not a key', { cause });
  }
}

function refuseUnusualRsa({ n, e }: JWK): void {
  const modulus = Buffer.from(typeof n === 'string' ? n : '', 'base64url');
  const exponent = Buffer.from(typeof e === 'string' && e.length <= LONGEST_EXPONENT ? e : '', 'base64url');
  // Leading zero bytes make a small number look large (RFC 7518 section 6.3.1.1 forbids them).
  const bits = (modulus[0] ?? 0) === 0 ? 0 : modulus.length * 8 - Math.clz32(modulus[0] ?? 0) + 24;
  const isOdd = ((exponent.at(-1) ?? 0) & 1) === 1;
  // With the exponent 1 everybody signs, and the proof would prove nothing.
  const isOne = exponent.length === 0 || BigInt(`0x${exponent.toString('hex')}`) < 3n;
  if (bits < LEAST_MODULUS_BITS || bits > MOST_MODULUS_BITS || !isOdd || isOne) {
    throw new Error(`its RSA key must have ${LEAST_MODULUS_BITS} to ${MOST_MODULUS_BITS} bits and a short exponent such as 65537`);
  }
}
