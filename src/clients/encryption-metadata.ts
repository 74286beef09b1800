import {
  CONTENT_ENCRYPTION_ALGORITHMS,
  type ContentEncryptionAlgorithm,
  DEFAULT_CONTENT_ENCRYPTION,
  KEY_MANAGEMENT_ALGORITHMS,
  type KeyManagementAlgorithm,
} from '../keys/jwe-algorithms.ts';
import { ENCRYPTION_KEY_ALGORITHMS, type EncryptionKeyAlgorithm } from '../keys/key-algorithms.ts';
import type { MetadataReader } from './metadata-reader.ts';

/**
 * Which answers a client gets encrypted, and how it encrypts its request objects (OpenID Connect Dynamic Client Registration section 2, JARM
 * section 3, RFC 9701 section 6). With each `alg` there is an `enc`.
 */
export interface EncryptionClientMetadata {
  readonly id_token_encrypted_response_alg?: KeyManagementAlgorithm;
  readonly id_token_encrypted_response_enc?: ContentEncryptionAlgorithm;
  readonly userinfo_encrypted_response_alg?: KeyManagementAlgorithm;
  readonly userinfo_encrypted_response_enc?: ContentEncryptionAlgorithm;
  readonly authorization_encrypted_response_alg?: KeyManagementAlgorithm;
  readonly authorization_encrypted_response_enc?: ContentEncryptionAlgorithm;
  readonly introspection_encrypted_response_alg?: KeyManagementAlgorithm;
  readonly introspection_encrypted_response_enc?: ContentEncryptionAlgorithm;
  /** Every request object of the client is encrypted so: one that is not, or otherwise, is refused. */
  readonly request_object_encryption_alg?: EncryptionKeyAlgorithm;
  readonly request_object_encryption_enc?: ContentEncryptionAlgorithm;
}

/** An answer that can be encrypted for a client, and the members of its metadata that say so. */
export type EncryptedAnswer = 'id_token' | 'userinfo' | 'authorization' | 'introspection';

export const ENCRYPTED_ANSWERS = {
  id_token: ['id_token_encrypted_response_alg', 'id_token_encrypted_response_enc'],
  userinfo: ['userinfo_encrypted_response_alg', 'userinfo_encrypted_response_enc'],
  authorization: ['authorization_encrypted_response_alg', 'authorization_encrypted_response_enc'],
  introspection: ['introspection_encrypted_response_alg', 'introspection_encrypted_response_enc'],
} as const satisfies Record<EncryptedAnswer, readonly [alg: keyof EncryptionClientMetadata, enc: keyof EncryptionClientMetadata]>;

const PAIRS = [...Object.values(ENCRYPTED_ANSWERS), ['request_object_encryption_alg', 'request_object_encryption_enc']] as const;

/**
 * Reads these members, and fills in the default of `enc`.
 * @param rules.isOn whether the server encrypts at all (FEATURES).
 * @param rules.refuse is told what is wrong, one sentence that begins with the member's name, and throws.
 */
export function readEncryptionMetadata(
  members: MetadataReader,
  rules: { readonly isOn: boolean; readonly refuse: (problem: string) => never },
): EncryptionClientMetadata {
  const { isOn, refuse } = rules;
  const read = PAIRS.map(([algName, encName]) => {
    const alg = members.oneOf<KeyManagementAlgorithm>(
      algName,
      algName === 'request_object_encryption_alg' ? ENCRYPTION_KEY_ALGORITHMS : KEY_MANAGEMENT_ALGORITHMS,
    );
    const enc = members.oneOf(encName, CONTENT_ENCRYPTION_ALGORITHMS);
    if (alg === undefined && enc !== undefined) {
      // Registration section 2: "When id_token_encrypted_response_enc is included, id_token_encrypted_response_alg MUST also be provided."
      return refuse(`${encName}: needs ${algName} beside it.`);
    }
    if (alg !== undefined && !isOn) {
      return refuse(`${algName}: this server has encryption turned off (FEATURES).`);
    }
    return alg === undefined ? {} : { [algName]: alg, [encName]: enc ?? DEFAULT_CONTENT_ENCRYPTION };
  });
  return Object.assign({}, ...read) as EncryptionClientMetadata;
}

/** The members by which a client asks for an encrypted answer, with the algorithm it needs a key for. */
export function wantedEncryption(
  metadata: EncryptionClientMetadata,
): readonly { readonly member: string; readonly alg: KeyManagementAlgorithm }[] {
  return Object.values(ENCRYPTED_ANSWERS).flatMap(([member]) => {
    const alg = metadata[member];
    return alg === undefined ? [] : [{ member, alg }];
  });
}
