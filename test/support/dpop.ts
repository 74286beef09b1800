import { createHash, randomUUID } from 'node:crypto';
import type { CryptoKey, JWK } from 'jose';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Answer } from './answers.ts';
import { answerOf } from './answers.ts';
import type { TestClient, TestServer } from './test-server.ts';
import { basic } from './test-server.ts';

/** A key of a client, and the DPoP proofs it makes with it (RFC 9449 section 4.2). */
export interface ProofKey {
  readonly publicJwk: JWK;
  /** With the private members. */
  readonly privateJwk: JWK;
  readonly thumbprint: string;
  proof(of: ProofOf): Promise<string>;
}

/** What a proof is made of. A claim or header member that is given as undefined is left out. */
export interface ProofOf {
  readonly url: string;
  readonly method?: string;
  /** iat. */
  readonly now: number;
  readonly accessToken?: string;
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly header?: Readonly<Record<string, unknown>>;
}

export async function proofKey(algorithm: string = 'ES256', modulusLength: number = 2048): Promise<ProofKey> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true, modulusLength });
  return proofKeyOf(algorithm, publicKey, privateKey);
}

/** The access token's `ath`. */
export function hashOf(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('base64url');
}

/** Posts a form with DPoP proofs, each a header field of its own. `as` is as in `TestServer.post`. */
export async function postWithProof(
  server: Pick<TestServer, 'issuer'>,
  path: string,
  form: Readonly<Record<string, string>>,
  as: TestClient,
  proof: string | undefined,
): Promise<Answer> {
  const isPublic = as.secret === '';
  return answerOf(
    fetch(server.issuer + path, {
      method: 'POST',
      body: new URLSearchParams({ ...(isPublic ? { client_id: as.id } : {}), ...form }),
      headers: { ...(isPublic ? {} : { authorization: basic(as) }), ...(proof === undefined ? {} : { dpop: proof }) },
    }),
  );
}

/** A fresh proof by `key` for a POST to `path`. */
export function proofFor(
  server: Pick<TestServer, 'issuer' | 'clock'>,
  key: ProofKey,
  path: string,
  changes: Partial<ProofOf> = {},
): Promise<string> {
  return key.proof({ url: server.issuer + path, now: server.clock.now(), ...changes });
}

/** A token request with a fresh proof by `key`; none without. */
export async function tokenRequest(
  server: Pick<TestServer, 'issuer' | 'clock'>,
  client: TestClient,
  form: Readonly<Record<string, string>>,
  key: ProofKey | undefined,
): Promise<Answer> {
  return postWithProof(server, '/token', form, client, key && (await proofFor(server, key, '/token')));
}

async function proofKeyOf(algorithm: string, publicKey: CryptoKey, privateKey: CryptoKey): Promise<ProofKey> {
  const publicJwk = await exportJWK(publicKey);
  return {
    publicJwk,
    privateJwk: await exportJWK(privateKey),
    thumbprint: await calculateJwkThumbprint(publicJwk),
    proof({ url, method = 'POST', now, accessToken, claims, header }) {
      const ath = accessToken === undefined ? {} : { ath: hashOf(accessToken) };
      // JSON leaves out what is undefined.
      return new SignJWT({ jti: randomUUID(), htm: method, htu: url, iat: now, ...ath, ...claims })
        .setProtectedHeader({ alg: algorithm, typ: 'dpop+jwt', jwk: publicJwk, ...header })
        .sign(privateKey);
    },
  };
}
