import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { CompactEncrypt, type CompactJWEHeaderParameters, compactDecrypt, importJWK, type JWK } from 'jose';
import { answerOf } from './answers.ts';
import type { Changes } from './assertions.ts';
import type { TestServer } from './test-server.ts';

/** A key pair of a client that answers are encrypted with. */
export interface EncryptionPair {
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** The public one, as it is registered or published. */
  readonly jwk: Readonly<Record<string, unknown>>;
}

const MAKERS = {
  'P-256': () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  'P-384': () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  'P-521': () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  X25519: () => generateKeyPairSync('x25519'),
  RSA: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

/** A new pair. @param members of its JWK that differ; undefined leaves one out. */
export function encryptionPair(kind: keyof typeof MAKERS = 'P-256', members: Changes = {}): EncryptionPair {
  const { publicKey, privateKey } = MAKERS[kind]();
  const kid = randomUUID();
  const jwk = Object.entries({ ...publicKey.export({ format: 'jwk' }), kid, use: 'enc', ...members });
  return { kid, privateKey, jwk: Object.fromEntries(jwk.filter(([, value]) => value !== undefined)) };
}

/** What a client finds inside of an answer. */
export async function opened(
  jwe: unknown,
  pair: EncryptionPair,
): Promise<{ readonly header: CompactJWEHeaderParameters; readonly text: string }> {
  const { plaintext, protectedHeader } = await compactDecrypt(String(jwe), pair.privateKey);
  return { header: protectedHeader, text: new TextDecoder().decode(plaintext) };
}

/** The key that the server publishes for an algorithm. */
export async function serverKey(server: Pick<TestServer, 'get'>, alg: string): Promise<JWK & { readonly kid: string }> {
  const { keys } = (await answerOf(server.get('/jwks'))).body as unknown as { readonly keys: readonly (JWK & { readonly kid: string })[] };
  const found = keys.find((key) => key.use === 'enc' && key.alg === (alg.startsWith('ECDH') ? 'ECDH-ES' : alg));
  if (found === undefined) {
    throw new Error(`the server publishes no key for ${alg}`);
  }
  return found;
}

/** Encrypts for the server, as its client does; header members given as undefined are left out. */
export async function encryptedFor(server: Pick<TestServer, 'get'>, text: string, header: Changes = {}): Promise<string> {
  const alg = typeof header['alg'] === 'string' ? header['alg'] : 'ECDH-ES';
  const key = await serverKey(server, alg);
  const members = Object.entries({ alg, enc: 'A256GCM', cty: 'JWT', kid: key.kid, ...header }).filter(([, value]) => value !== undefined);
  return new CompactEncrypt(new TextEncoder().encode(text))
    .setProtectedHeader(Object.fromEntries(members) as unknown as CompactJWEHeaderParameters)
    .encrypt(await importJWK(key, alg));
}
