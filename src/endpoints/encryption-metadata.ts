import type { EnabledFeatures, FeatureName } from '../config/feature-switches.ts';
import { CONTENT_ENCRYPTION_ALGORITHMS, KEY_MANAGEMENT_ALGORITHMS } from '../keys/jwe-algorithms.ts';
import { ENCRYPTION_KEY_ALGORITHMS } from '../keys/key-algorithms.ts';

/** What can be encrypted, and the feature that it is part of; undefined: it is always there. */
const ENCRYPTABLE = {
  id_token: undefined,
  userinfo: 'userinfo',
  authorization: 'jarm',
  introspection: 'signed-introspection',
  request_object: 'request-objects',
} as const satisfies Record<string, FeatureName | undefined>;

/** Algorithms of encryption in the server metadata (OpenID Connect Discovery section 3, JARM section 4, RFC 9701 section 7). */
export function encryptionMetadata(enabled: EnabledFeatures): Readonly<Record<string, readonly string[]>> {
  const present = Object.entries<FeatureName | undefined>(ENCRYPTABLE).filter(
    ([, feature]) => feature === undefined || enabled.has(feature),
  );
  const members: Record<string, readonly string[]> = {};
  for (const [name] of present) {
    members[`${name}_encryption_alg_values_supported`] = name === 'request_object' ? ENCRYPTION_KEY_ALGORITHMS : KEY_MANAGEMENT_ALGORITHMS;
    members[`${name}_encryption_enc_values_supported`] = CONTENT_ENCRYPTION_ALGORITHMS;
  }
  return members;
}
