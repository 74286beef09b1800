import { generateKeyPairSync, webcrypto } from 'node:crypto';

/** The JWS algorithms of RFC 9964, signatures that a quantum computer does not break (FIPS 204). */
export const ML_DSA_ALGORITHMS = ['ML-DSA-44', 'ML-DSA-65', 'ML-DSA-87'] as const;

export type MlDsaAlgorithm = (typeof ML_DSA_ALGORITHMS)[number];

/** What a message says where one of them is wanted and this Node.js has none. */
export const ML_DSA_NEEDS = `Node.js 24.7 or newer, built with OpenSSL 3.5 or newer (this is ${process.versions.node} with ${process.versions.openssl})`;

/** Those that this Node.js has, for its own keys and those of clients alike: all of them, or none. */
export const AVAILABLE_ML_DSA: readonly MlDsaAlgorithm[] = isAvailable() ? ML_DSA_ALGORITHMS : [];

/**
 * By trying, not by the version: a Node.js of a distribution may be built with an older OpenSSL. Clients' signatures go through WebCrypto, which
 * got `supports` and these algorithms at once; asking `supports` itself would have Node.js warn everybody of an experimental feature.
 */
function isAvailable(): boolean {
  try {
    (generateKeyPairSync as (type: string) => unknown)('ml-dsa-44');
    return 'supports' in webcrypto.subtle.constructor;
  } catch {
    return false;
  }
}
