import { createHash, type JsonWebKey } from 'node:crypto';
import { isEncryptionAlgorithm, type KeyAlgorithm } from './key-algorithms.ts';

/** A public key as resource servers and clients get it (RFC 7517 section 4). */
export interface PublicJwk {
  readonly kty: 'EC' | 'RSA' | 'OKP' | 'AKP';
  readonly kid: string;
  readonly use: 'sig' | 'enc';
  readonly alg: KeyAlgorithm;
  readonly crv?: string;
  readonly x?: string;
  readonly y?: string;
  readonly n?: string;
  readonly e?: string;
  readonly pub?: string;
}

/** A JWK Set of public keys (RFC 7517 section 5). */
export interface PublicKeySet {
  readonly keys: readonly PublicJwk[];
}

// RFC 9964 sections 3 and 6: the algorithm is part of the key, and of its thumbprint.
const AKP = { kty: 'AKP', crv: undefined, members: ['alg', 'kty', 'pub'], privateMembers: ['priv'] } as const;

/** The key type and the public members of each algorithm, in the lexicographic order that RFC 7638 section 3.2 asks for. */
export const KEY_SHAPES = {
  ES256: { kty: 'EC', crv: 'P-256', members: ['crv', 'kty', 'x', 'y'], privateMembers: ['d'] },
  ES384: { kty: 'EC', crv: 'P-384', members: ['crv', 'kty', 'x', 'y'], privateMembers: ['d'] },
  ES512: { kty: 'EC', crv: 'P-521', members: ['crv', 'kty', 'x', 'y'], privateMembers: ['d'] },
  RS256: { kty: 'RSA', crv: undefined, members: ['e', 'kty', 'n'], privateMembers: ['d', 'p', 'q', 'dp', 'dq', 'qi'] },
  PS256: { kty: 'RSA', crv: undefined, members: ['e', 'kty', 'n'], privateMembers: ['d', 'p', 'q', 'dp', 'dq', 'qi'] },
  Ed25519: { kty: 'OKP', crv: 'Ed25519', members: ['crv', 'kty', 'x'], privateMembers: ['d'] },
  EdDSA: { kty: 'OKP', crv: 'Ed25519', members: ['crv', 'kty', 'x'], privateMembers: ['d'] },
  'ML-DSA-44': AKP,
  'ML-DSA-65': AKP,
  'ML-DSA-87': AKP,
  'ECDH-ES': { kty: 'EC', crv: 'P-256', members: ['crv', 'kty', 'x', 'y'], privateMembers: ['d'] },
  'RSA-OAEP-256': { kty: 'RSA', crv: undefined, members: ['e', 'kty', 'n'], privateMembers: ['d', 'p', 'q', 'dp', 'dq', 'qi'] },
} as const satisfies Record<KeyAlgorithm, KeyShape>;

interface KeyShape {
  readonly kty: PublicJwk['kty'];
  readonly crv: string | undefined;
  readonly members: readonly (keyof JsonWebKey)[];
  readonly privateMembers: readonly (keyof JsonWebKey)[];
}

/**
 * The public half of a private JWK. Members are picked by an allow-list: one that is forgotten here is missing, where one forgotten in a
 * deny-list would be published.
 */
export function publicJwk(alg: KeyAlgorithm, kid: string, jwk: JsonWebKey): PublicJwk {
  return { kty: KEY_SHAPES[alg].kty, kid, use: useOf(alg), alg, ...publicMembers(alg, jwk) };
}

/** RFC 7517 section 4.2. */
export function useOf(alg: KeyAlgorithm): PublicJwk['use'] {
  return isEncryptionAlgorithm(alg) ? 'enc' : 'sig';
}

/** RFC 7638 with SHA-256: a name that the key itself decides, the same on every node. */
export function thumbprint(alg: KeyAlgorithm, jwk: JsonWebKey): string {
  return createHash('sha256')
    .update(JSON.stringify(publicMembers(alg, jwk)))
    .digest('base64url');
}

function publicMembers(alg: KeyAlgorithm, jwk: JsonWebKey): Readonly<Record<string, unknown>> {
  return Object.fromEntries(KEY_SHAPES[alg].members.map((name) => [name, jwk[name]]));
}
