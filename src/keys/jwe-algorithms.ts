/**
 * How the content encryption key gets to a client (RFC 7518 section 4.1). RSA-OAEP is there for .NET clients, whose Microsoft.IdentityModel does not
 * decrypt RSA-OAEP-256; nothing rests on collisions of the SHA-1 in it. What is encrypted for the server itself has the algorithm that the key is
 * published for (`ENCRYPTION_KEY_ALGORITHMS`): RFC 8725 section 3.1 has each key used with exactly one. Not supported: RSA1_5 (padding oracles,
 * RFC 8725 section 3.2), PBES2 (work that a stranger decides about) and `dir` and AES key wrap (shared keys, which a client secret is not
 * stored to be).
 */
export const KEY_MANAGEMENT_ALGORITHMS = ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW', 'RSA-OAEP-256', 'RSA-OAEP'] as const;

export type KeyManagementAlgorithm = (typeof KEY_MANAGEMENT_ALGORITHMS)[number];

/** What encrypts the content (RFC 7518 section 5.1): authenticated, all of them. */
export const CONTENT_ENCRYPTION_ALGORITHMS = ['A128CBC-HS256', 'A256CBC-HS512', 'A128GCM', 'A256GCM'] as const;

export type ContentEncryptionAlgorithm = (typeof CONTENT_ENCRYPTION_ALGORITHMS)[number];

/** OpenID Connect Dynamic Client Registration section 2, JARM section 3, RFC 9701 section 6: where a client names only the other one. */
export const DEFAULT_CONTENT_ENCRYPTION: ContentEncryptionAlgorithm = 'A128CBC-HS256';
