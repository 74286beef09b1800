import { createPrivateKey, type JsonWebKey, type KeyObject, sign } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'chai';
import { answerOf } from '../support/answers.ts';
import { assertionClaims, assertionForm, type ClientKeyPair, clientKeyPair, keyClient } from '../support/assertions.ts';
import { ALGORITHMS, accessTokenOf, EVERY_ALGORITHM, headerOf } from '../support/interop.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';

const HASHES: Readonly<Record<string, string>> = { ES256: 'sha256', ES384: 'sha384', ES512: 'sha512', RS256: 'sha256', PS256: 'sha256' };

describe('a key of ours has one algorithm (RFC 8725 section 3.1, RFC 9864)', () => {
  const server = suiteServer(EVERY_ALGORITHM);

  async function isActive(token: string, client: TestClient): Promise<unknown> {
    return (await answerOf(server().post('/introspect', { token }, client))).body['active'];
  }

  /** As the operator has them, and no attacker. */
  async function privateKeys(): Promise<ReadonlyMap<unknown, KeyObject>> {
    const { keysDirectory } = server().config;
    const names = (await readdir(keysDirectory)).filter((name) => name.endsWith('.json') && !name.startsWith('HS256'));
    const files = await Promise.all(names.map(async (name) => JSON.parse(await readFile(join(keysDirectory, name), 'utf8')) as JsonWebKey));
    return new Map(files.map((file) => [file['kid'], createPrivateKey({ key: file, format: 'jwk' })]));
  }

  for (const alg of ALGORITHMS) {
    it(`one for ${alg} is for no other, though it were the key itself that signed`, async () => {
      const client = await server().client({ access_token_signed_response_alg: alg });
      const token = await accessTokenOf(server(), client);
      const payload = token.split('.')[1] ?? '';
      const { kid, typ } = headerOf(token);
      const key = (await privateKeys()).get(kid) ?? expect.fail(`${kid} is not in the key directory`);
      for (const other of ALGORITHMS) {
        const input = `${encoded({ alg: other, typ, kid })}.${payload}`;
        for (const hash of new Set([HASHES[alg], HASHES[other]])) {
          const forged = `${input}.${signatureOf(key, hash, input)}`;
          // Not PS256, whose padding this does not make.
          const isRight = other === alg && hash === HASHES[alg] && alg !== 'PS256';
          expect(await isActive(forged, client), `${other} with ${hash}`).to.equal(isRight);
        }
      }
      expect(await isActive(token, client)).to.equal(true);
    });

    it(`nor is ${alg} anything that a stranger's key of that kind signs`, async () => {
      const client = await server().client({ access_token_signed_response_alg: alg });
      const token = await accessTokenOf(server(), client);
      const [header = '', payload = ''] = token.split('.');
      const input = `${header}.${payload}`;
      const key = clientKeyPair(alg).privateKey;
      expect(await isActive(token, client)).to.equal(true);
      expect(await isActive(`${input}.${signatureOf(key, HASHES[alg], input)}`, client)).to.equal(false);
    });
  }

  it('so has each of the two names of Ed25519 a key of its own', async () => {
    const { keys } = (await (await server().get('/jwks')).json()) as {
      readonly keys: readonly { readonly alg: string; readonly x?: string }[];
    };
    const edwards = keys.filter(({ alg }) => alg === 'Ed25519' || alg === 'EdDSA');
    expect(edwards.map(({ alg }) => alg)).to.have.members(['Ed25519', 'Ed25519', 'EdDSA', 'EdDSA']);
    expect(new Set(edwards.map(({ x }) => x)).size).to.equal(4);
  });
});

describe('the algorithm of a client’s signature fits its key (RFC 8725 section 3.1)', () => {
  const server = suiteServer();

  /** The status of a token request with an assertion by `pair` under `alg`, of a client that has registered `jwk` as its key. */
  async function statusOf(pair: ClientKeyPair, alg: string, jwk: object = pair.jwk, metadata: object = {}): Promise<number> {
    const { id } = await keyClient(server(), { ...metadata, jwks: { keys: [jwk] } });
    const input = `${encoded({ kid: pair.kid, alg })}.${encoded(assertionClaims(server(), id))}`;
    const form = assertionForm(`${input}.${signatureOf(pair.privateKey, HASHES[alg], input)}`);
    return (await server().post('/token', { grant_type: 'client_credentials', ...form })).status;
  }

  it('a key of P-384 signs no ES256, nor one of P-256 ES384', async () => {
    const [wide, narrow] = [clientKeyPair('ES384'), clientKeyPair('ES256')];
    expect(await statusOf(wide, 'ES384')).to.equal(200);
    expect(await statusOf(narrow, 'ES256')).to.equal(200);
    expect(await statusOf(wide, 'ES256')).to.equal(401);
    expect(await statusOf(wide, 'ES256', { ...wide.jwk, alg: 'ES256' })).to.equal(401);
    expect(await statusOf(narrow, 'ES384')).to.equal(401);
  });

  it('Ed25519 and EdDSA are names of one operation, and a key or a registration that has one is for that alone (RFC 9864)', async () => {
    for (const [one, other] of [
      ['Ed25519', 'EdDSA'],
      ['EdDSA', 'Ed25519'],
    ] as const) {
      const pair = clientKeyPair(one);
      expect(await statusOf(pair, one)).to.equal(200);
      // A key that names no algorithm is for both.
      expect(await statusOf(pair, other)).to.equal(200);
      expect(await statusOf(pair, one, { ...pair.jwk, alg: one })).to.equal(200);
      expect(await statusOf(pair, other, { ...pair.jwk, alg: one })).to.equal(401);
      expect(await statusOf(pair, one, pair.jwk, { token_endpoint_auth_signing_alg: one })).to.equal(200);
      expect(await statusOf(pair, other, pair.jwk, { token_endpoint_auth_signing_alg: one })).to.equal(401);
    }
  });
});

/** RSA with the padding of RS256. */
function signatureOf(key: KeyObject, hash: string | undefined, input: string): string {
  const digest = key.asymmetricKeyType === 'ec' || key.asymmetricKeyType === 'rsa' ? (hash ?? 'sha256') : undefined;
  return sign(digest, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
