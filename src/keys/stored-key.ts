import { createPrivateKey, createPublicKey, createSecretKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto';
import type { SigningAlgorithm } from '../config/config.ts';
import { SIGNING_ALGORITHMS } from '../config/signing-algorithms.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { AVAILABLE_ML_DSA, ML_DSA_ALGORITHMS, ML_DSA_NEEDS } from '../core/ml-dsa.ts';
import { ENCRYPTION_KEY_ALGORITHMS, type EncryptionKeyAlgorithm, isEncryptionAlgorithm, type KeyAlgorithm } from './key-algorithms.ts';
import { KeyDirectoryError } from './key-directory-error.ts';
import type { KeyDates } from './key-life.ts';
import { KEY_SHAPES, type PublicJwk, publicJwk, thumbprint, useOf } from './public-jwk.ts';
import { JWS_PARAMETERS } from './signing-key.ts';

/** A key pair that was read from its file and checked. */
interface KeyPairFile extends KeyDates {
  readonly fileName: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly published: PublicJwk;
}

/** A key pair that signs. */
export interface StoredSigningKey extends KeyPairFile {
  readonly kind: 'signing';
  readonly alg: SigningAlgorithm;
}

/** A key pair that decrypts what was encrypted for this server. */
export interface StoredEncryptionKey extends KeyPairFile {
  readonly kind: 'encryption';
  readonly alg: EncryptionKeyAlgorithm;
}

export type StoredKeyPair = StoredSigningKey | StoredEncryptionKey;

/** A server secret that was read from its file and checked. */
export interface StoredSecret {
  readonly kind: 'secret';
  readonly fileName: string;
  readonly id: string;
  readonly sequence: number;
  readonly createdAt: EpochSeconds;
  /** New credentials are made with it since, unless a newer one took over. */
  readonly activatedAt: EpochSeconds;
  readonly key: KeyObject;
}

export type StoredKey = StoredKeyPair | StoredSecret;

/**
 * What a key file holds: the members of a private JWK (RFC 7517) and, beside them, the dates of its life in epoch seconds, so that every
 * JOSE tool can read the file.
 */
export type KeyFile = JsonWebKey & {
  readonly created_at: EpochSeconds;
  readonly activated_at?: EpochSeconds;
  readonly retired_at?: EpochSeconds;
};

/** Says whether a name is a key file's, and what key it must hold. Any other file in the directory is none of our business. */
export function parseKeyFileName(fileName: string): { readonly alg: KeyAlgorithm | 'HS256'; readonly sequence: number } | undefined {
  const match = /^([A-Za-z0-9-]{1,20})\.([1-9]\d{0,8})\.json$/.exec(fileName);
  const alg = ALGORITHMS.find((name) => name === match?.[1]);
  return match === null || alg === undefined ? undefined : { alg, sequence: Number(match[2]) };
}

export function keyFileName(alg: KeyAlgorithm | 'HS256', sequence: number): string {
  return `${alg}.${sequence}.json`;
}

/**
 * Reads and checks a key file's text.
 * @param path for messages alone.
 * @throws KeyDirectoryError naming the first thing that is wrong.
 */
export function parseStoredKey(path: string, fileName: string, text: string): StoredKey {
  const refuse = (problem: string): never => {
    throw new KeyDirectoryError(path, `${problem}. Restore the file from a backup, or remove it if nothing depends on it`);
  };
  const named = parseKeyFileName(fileName) ?? refuse('is not a key file by its name');
  if (ML_DSA_ALGORITHMS.some((name) => name === named.alg) && AVAILABLE_ML_DSA.length === 0) {
    throw new KeyDirectoryError(
      path,
      `is for ${named.alg}, which needs ${ML_DSA_NEEDS}. Remove it only if nothing that it signed is in use`,
    );
  }
  const file = parseJson(text) ?? refuse('is not a JSON object: half-written or damaged');
  if (file['alg'] !== named.alg) {
    return refuse(`must have "alg":"${named.alg}" as its name says`);
  }
  const createdAt = file['created_at'];
  const activatedAt = file['activated_at'];
  const retiredAt = file['retired_at'];
  if (!isDate(createdAt) || !isOptionalDate(activatedAt) || !isOptionalDate(retiredAt)) {
    return refuse('must have "created_at" in epoch seconds, and so the other dates it has');
  }
  const { sequence } = named;
  if (named.alg === 'HS256') {
    const { id, key } = secretOf(file, refuse);
    return { kind: 'secret', fileName, id, sequence, createdAt, activatedAt: activatedAt ?? createdAt, key };
  }
  const dates = { sequence, createdAt, activatedAt, retiredAt };
  const pair = { fileName, ...dates, ...keyPairOf(named.alg, file, refuse) };
  return isEncryptionAlgorithm(named.alg) ? { kind: 'encryption', alg: named.alg, ...pair } : { kind: 'signing', alg: named.alg, ...pair };
}

const ALGORITHMS: readonly (KeyAlgorithm | 'HS256')[] = [...SIGNING_ALGORITHMS, ...ENCRYPTION_KEY_ALGORITHMS, 'HS256'];
const SECRET_ID = /^[0-9a-f]{8}$/;

type Refuse = (problem: string) => never;

// The error of JSON.parse quotes the text it failed on, here a private key: it is neither passed on nor kept as a cause.
function parseJson(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function secretOf(file: Readonly<Record<string, unknown>>, refuse: Refuse): { readonly id: string; readonly key: KeyObject } {
  const { kty, kid, k } = file;
  if (kty !== 'oct' || typeof k !== 'string') {
    return refuse('must have "kty":"oct" and "k"');
  }
  const bytes = Buffer.from(k, 'base64url');
  if (bytes.length !== 32 || bytes.toString('base64url') !== k) {
    return refuse('must have 256 bits in "k", as base64url');
  }
  if (typeof kid !== 'string' || !SECRET_ID.test(kid)) {
    return refuse('must have a "kid" of 8 hex digits');
  }
  return { id: kid, key: createSecretKey(bytes) };
}

function keyPairOf(
  alg: KeyAlgorithm,
  file: Readonly<Record<string, unknown>>,
  refuse: Refuse,
): { readonly kid: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject; readonly published: PublicJwk } {
  const { kty, crv, members, privateMembers } = KEY_SHAPES[alg];
  if (file['kty'] !== kty || file['crv'] !== crv) {
    return refuse(`must have "kty":"${kty}"${crv === undefined ? '' : ` and "crv":"${crv}"`}`);
  }
  const missing = members.find((name) => typeof file[name] !== 'string');
  if (missing !== undefined) {
    return refuse(`lacks the public member "${missing}"`);
  }
  const missingPrivate = privateMembers.find((name) => typeof file[name] !== 'string');
  if (missingPrivate !== undefined) {
    return refuse(`lacks the private member "${missingPrivate}"`);
  }
  if (file['use'] !== useOf(alg)) {
    return refuse(`must have "use":"${useOf(alg)}"`);
  }
  const kid = thumbprint(alg, file);
  if (file['kid'] !== kid) {
    return refuse('must have its RFC 7638 thumbprint as "kid"');
  }
  const pair = importPair(file) ?? refuse(`holds numbers that are no ${alg} key`);
  if (kty === 'RSA' && (pair.privateKey.asymmetricKeyDetails?.modulusLength ?? 0) < 2048) {
    return refuse('is an RSA key of less than 2048 bits (RFC 7518 section 3.3)');
  }
  if (!belongTogether(alg, kid, pair)) {
    return refuse('has a private part that does not belong to its public part');
  }
  return { kid, ...pair, published: publicJwk(alg, kid, file) };
}

/** By which signature the two parts of a key that decrypts are held against each other: it makes this one and no other. */
const PROBES = { 'ECDH-ES': 'ES256', 'RSA-OAEP-256': 'RS256' } as const satisfies Record<EncryptionKeyAlgorithm, SigningAlgorithm>;

interface KeyPair {
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

function importPair(jwk: JsonWebKey): KeyPair | undefined {
  try {
    const privateKey = createPrivateKey({ key: jwk, format: 'jwk' });
    return { privateKey, publicKey: createPublicKey(privateKey) };
  } catch {
    return undefined;
  }
}

/**
 * Of an EC or RSA key, OpenSSL takes the public part at its word, so one signature is made and verified. Of an Ed25519 or ML-DSA key it ignores the public
 * part and derives it anew, so that is compared.
 */
function belongTogether(alg: KeyAlgorithm, kid: string, { privateKey, publicKey }: KeyPair): boolean {
  const { digest, options } = JWS_PARAMETERS[isEncryptionAlgorithm(alg) ? PROBES[alg] : alg];
  const probe = Buffer.from('probe');
  try {
    const isWhole = thumbprint(alg, publicKey.export({ format: 'jwk' })) === kid;
    return isWhole && verify(digest, probe, { key: publicKey, ...options }, sign(digest, probe, { key: privateKey, ...options }));
  } catch {
    return false;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isDate(value: unknown): value is EpochSeconds {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isOptionalDate(value: unknown): value is EpochSeconds | undefined {
  return value === undefined || isDate(value);
}
