import { AVAILABLE_ML_DSA } from '../core/ml-dsa.ts';

/** JWS algorithms (RFC 7518 section 3.1, RFC 9864, RFC 9964) that a client may sign with by a private key, unless it is registered for one of them. */
// biome-ignore format: a list of names reads best filled
export const PRIVATE_KEY_ALGORITHMS = [
  'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512', 'RS256', 'RS384', 'RS512', 'EdDSA', 'Ed25519',
  ...AVAILABLE_ML_DSA,
] as const;

/** The one HMAC by a client secret: secrets are of 256 bits, and HS384 and HS512 want longer ones (RFC 7518 section 3.2). */
export const CLIENT_SECRET_ALGORITHMS = ['HS256'] as const;
