import { SIGNING_ALGORITHMS } from '../../src/config/signing-algorithms.ts';
import { AVAILABLE_ML_DSA } from '../../src/core/ml-dsa.ts';
import type { TestClient, TestServer } from './test-server.ts';

/** The signing algorithms an access token may have: those of this Node.js. */
export const ALGORITHMS = SIGNING_ALGORITHMS.filter((alg) => !alg.startsWith('ML-DSA') || AVAILABLE_ML_DSA.length > 0);

/** Settings of a server that signs with all of them. */
export const EVERY_ALGORITHM = { SIGNING_ALGS: ALGORITHMS.join(',') };

/** An access token of the client for itself. */
export async function accessTokenOf(server: Pick<TestServer, 'post'>, client: TestClient): Promise<string> {
  const response = await server.post('/token', { grant_type: 'client_credentials' }, client);
  const { access_token } = (await response.json()) as { readonly access_token: string };
  return access_token;
}

/** The protected header of a JWS in compact form, unverified. */
export function headerOf(token: string): { readonly kid: string; readonly alg: string; readonly typ: string } {
  const [header = ''] = token.split('.');
  return JSON.parse(Buffer.from(header, 'base64url').toString()) as { readonly kid: string; readonly alg: string; readonly typ: string };
}

/** The same token with another scope in it, under the old signature. */
export function forged(token: string): string {
  const [header, payload = '', signature] = token.split('.');
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString()) as object;
  return [header, Buffer.from(JSON.stringify({ ...claims, scope: 'admin' })).toString('base64url'), signature].join('.');
}
