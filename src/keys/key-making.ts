import { generateKeyPair, type JsonWebKey, type KeyObject, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { EpochSeconds } from '../core/clock.ts';
import type { KeyAlgorithm } from './key-algorithms.ts';
import { thumbprint, useOf } from './public-jwk.ts';
import type { KeyFile } from './stored-key.ts';

/** A new key as the text of its file. */
export interface NewKey {
  readonly kid: string;
  readonly text: string;
}

/** Makes a key pair. An RSA key takes a tenth of a second or more, on the thread pool. */
export async function makeKeyPair(alg: KeyAlgorithm, createdAt: EpochSeconds, activatedAt: EpochSeconds | undefined): Promise<NewKey> {
  const { privateKey } = await generate(alg);
  const jwk = privateKey.export({ format: 'jwk' });
  const kid = thumbprint(alg, jwk);
  return { kid, text: fileText({ ...jwk, kid, alg, use: useOf(alg) }, createdAt, activatedAt) };
}

/**
 * Makes a server secret of 256 bits. Its `kid` is random: the thumbprint of a secret key would be a hash of the secret itself (RFC 7638
 * section 7).
 */
export function makeSecret(createdAt: EpochSeconds, activatedAt: EpochSeconds): NewKey {
  const kid = randomBytes(4).toString('hex');
  return { kid, text: fileText({ kty: 'oct', k: randomBytes(32).toString('base64url'), kid, alg: 'HS256' }, createdAt, activatedAt) };
}

/** A key file's content as its text. */
export function keyFileText(file: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify(file, undefined, 2)}\n`;
}

function fileText(jwk: JsonWebKey, created_at: EpochSeconds, activated_at: EpochSeconds | undefined): string {
  const file: KeyFile = activated_at === undefined ? { ...jwk, created_at } : { ...jwk, created_at, activated_at };
  return keyFileText(file);
}

const keyPair = promisify(generateKeyPair);
// The types are those of the oldest Node.js that this runs on, which has no ML-DSA.
const anyKeyPair = keyPair as (type: string) => Promise<{ readonly privateKey: KeyObject }>;

function generate(alg: KeyAlgorithm): Promise<{ readonly privateKey: KeyObject }> {
  switch (alg) {
    case 'ES256':
    case 'ECDH-ES':
      return keyPair('ec', { namedCurve: 'P-256' });
    case 'ES384':
      return keyPair('ec', { namedCurve: 'P-384' });
    case 'ES512':
      return keyPair('ec', { namedCurve: 'P-521' });
    case 'Ed25519':
    case 'EdDSA':
      return keyPair('ed25519');
    case 'ML-DSA-44':
    case 'ML-DSA-65':
    case 'ML-DSA-87':
      return anyKeyPair(alg.toLowerCase());
    case 'RS256':
    case 'PS256':
    case 'RSA-OAEP-256':
      return keyPair('rsa', { modulusLength: 2048 });
  }
}
