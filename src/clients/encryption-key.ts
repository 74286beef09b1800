import { createPublicKey, type KeyObject } from 'node:crypto';
import type { KeyManagementAlgorithm } from '../keys/jwe-algorithms.ts';
import { fetchJson } from '../outbound/json-document.ts';
import { type Outbound, OutboundFailure } from '../outbound/outbound.ts';
import { type ClientKey, type ClientKeySet, readPublishedKeySet } from './client-key-set.ts';

/** A client's key that something is encrypted with. */
export interface EncryptionKey {
  readonly kid: string | undefined;
  readonly publicKey: KeyObject;
}

/**
 * The key of a set that an algorithm encrypts with: of its type, not meant for signatures, nor for another algorithm (RFC 7517 sections 4.2 and
 * 4.4). One that says `use: enc` goes first; of several the first, which is where OpenID Connect Core section 10.2.1 has clients put theirs.
 */
export function encryptionKeyIn({ keys }: ClientKeySet, alg: KeyManagementAlgorithm): EncryptionKey | undefined {
  const usable = keys.filter((key) => isOfType(key, alg) && (key.use ?? 'enc') === 'enc' && (key.alg ?? alg) === alg);
  const chosen = usable.find(({ use }) => use === 'enc') ?? usable[0];
  return chosen && { kid: chosen.kid, publicKey: createPublicKey({ key: { ...chosen }, format: 'jwk' }) };
}

/** What such a key looks like, for whoever has registered none. */
export function wantedKey(alg: KeyManagementAlgorithm): string {
  return isRsa(alg) ? 'an RSA key' : 'an EC key (P-256, P-384, P-521) or an X25519 key';
}

/**
 * Looks at the keys that a client publishes, before it is registered for encrypted answers.
 * @returns what is wrong with them, the rest of a sentence; undefined when there is a key for each algorithm.
 */
export async function publishedKeyProblem(
  outbound: Outbound,
  uri: string,
  algorithms: readonly KeyManagementAlgorithm[],
): Promise<string | undefined> {
  try {
    const set = readPublishedKeySet((await fetchJson(outbound, uri)).value);
    const missing = algorithms.find((alg) => encryptionKeyIn(set, alg) === undefined);
    return missing && `has no key for ${missing}: ${wantedKey(missing)}, with "use":"enc"`;
  } catch (error) {
    if (error instanceof OutboundFailure) {
      return `cannot be used: ${error.message}`;
    }
    throw error;
  }
}

function isOfType({ kty, crv }: ClientKey, alg: KeyManagementAlgorithm): boolean {
  return isRsa(alg) ? kty === 'RSA' : kty === 'EC' || (kty === 'OKP' && crv === 'X25519');
}

function isRsa(alg: KeyManagementAlgorithm): boolean {
  return alg === 'RSA-OAEP-256' || alg === 'RSA-OAEP';
}
