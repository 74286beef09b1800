import type { SigningAlgorithm } from '../config/config.ts';

/** JWE algorithms that the server has keys of its own for: ECDH-ES on P-256, and RSA-OAEP with SHA-256 (RFC 7518 section 4.1). */
export const ENCRYPTION_KEY_ALGORITHMS = ['ECDH-ES', 'RSA-OAEP-256'] as const;

export type EncryptionKeyAlgorithm = (typeof ENCRYPTION_KEY_ALGORITHMS)[number];

/** What a key pair in the key directory is for. One algorithm each: no key both signs and decrypts. */
export type KeyAlgorithm = SigningAlgorithm | EncryptionKeyAlgorithm;

/** Whether a key of this algorithm decrypts; otherwise it signs. */
export function isEncryptionAlgorithm(alg: KeyAlgorithm): alg is EncryptionKeyAlgorithm {
  return ENCRYPTION_KEY_ALGORITHMS.some((name) => name === alg);
}
