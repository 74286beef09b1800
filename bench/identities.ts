import { createHash, generateKeyPairSync, randomBytes, randomUUID, sign } from 'node:crypto';

/** Who asks, of every target alike: a client with a secret, a client with an ES256 key, and the proof key of all codes. */
export interface Identities {
  readonly client: { readonly id: string; readonly secret: string };
  readonly keyClient: { readonly id: string; readonly jwk: Readonly<Record<string, unknown>> };
  readonly redirectUri: string;
  readonly verifier: string;
  readonly challenge: string;
  /** The value of `Authorization` for the client with a secret. */
  readonly basic: string;
  /** An assertion of the client with a key (RFC 7523), good for one request. */
  assertion(issuer: string): string;
}

export function makeIdentities(): Identities {
  const client = { id: 'bench', secret: randomBytes(32).toString('base64url') };
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const keyClient = { id: 'bench-key', jwk: { ...publicKey.export({ format: 'jwk' }), kid: 'client', alg: 'ES256', use: 'sig' } };
  const verifier = randomBytes(32).toString('base64url');
  return {
    client,
    keyClient,
    redirectUri: 'https://app.example/callback',
    verifier,
    challenge: createHash('sha256').update(verifier).digest('base64url'),
    basic: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`,
    assertion(issuer) {
      const now = Math.floor(Date.now() / 1000);
      const claims = { iss: keyClient.id, sub: keyClient.id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 300 };
      const input = `${encoded({ alg: 'ES256', kid: 'client', typ: 'JWT' })}.${encoded(claims)}`;
      const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return `${input}.${signature.toString('base64url')}`;
    },
  };
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}
