import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import type { TestClient, TestServer } from './test-server.ts';

/** A key pair of a client. */
export interface ClientKeyPair {
  readonly alg: string;
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** The public one, as it is registered or published. */
  readonly jwk: Readonly<Record<string, unknown>>;
}

// The types are those of Node.js 20, which has no ML-DSA.
const mlDsaPair = generateKeyPairSync as (type: string) => { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

const MAKERS: Readonly<Record<string, () => { readonly publicKey: KeyObject; readonly privateKey: KeyObject }>> = {
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
  Ed25519: () => generateKeyPairSync('ed25519'),
  'ML-DSA-44': () => mlDsaPair('ml-dsa-44'),
  'ML-DSA-65': () => mlDsaPair('ml-dsa-65'),
  'ML-DSA-87': () => mlDsaPair('ml-dsa-87'),
};

/** A new key pair for a JWS algorithm; RSA for those not of an elliptic curve. The JWK names the algorithm unless `alg` is left out of it. */
export function clientKeyPair(alg: string, kid: string = randomUUID()): ClientKeyPair {
  const { publicKey, privateKey } = MAKERS[alg]?.() ?? generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { alg, kid, privateKey, jwk: { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig' } };
}

/** What an assertion says where a test does not say otherwise; undefined leaves a member out. */
export type Changes = Readonly<Record<string, unknown>>;

/** The claims of an assertion as RFC 10070 wants them. */
export function assertionClaims(server: Pick<TestServer, 'issuer' | 'clock'>, clientId: string, changes: Changes = {}): Changes {
  const now = server.clock.now();
  const claims = { iss: clientId, sub: clientId, aud: server.issuer, iat: now, exp: now + 60, jti: randomUUID(), ...changes };
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

/** Signs an assertion with a client's private key, or with its secret (HS256). */
export function signAssertion(claims: Changes, by: ClientKeyPair | TestClient, header: Changes = {}): Promise<string> {
  const [key, own] =
    'privateKey' in by ? ([by.privateKey, { alg: by.alg, kid: by.kid }] as const) : ([Buffer.from(by.secret), { alg: 'HS256' }] as const);
  const members = { typ: 'client-authentication+jwt', ...own, ...header };
  const given = Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
  return new SignJWT({ ...claims }).setProtectedHeader(given as { alg: string }).sign(key);
}

/** The parameters that carry an assertion (RFC 7521 section 4.2). */
export function assertionForm(assertion: string): Readonly<Record<string, string>> {
  return { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion };
}

/** A client with `private_key_jwt`, and a key pair whose public key is registered by value. */
export async function keyClient(
  server: TestServer,
  metadata: Changes = {},
  pair: ClientKeyPair = clientKeyPair('ES256'),
): Promise<{ readonly id: string; readonly pair: ClientKeyPair }> {
  const { id } = await server.client({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [pair.jwk] }, ...metadata });
  return { id, pair };
}
