import { inflateSync } from 'node:zlib';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import type { Clock } from '../../src/core/clock.ts';
import { answerOf, readAccessToken } from './answers.ts';
import type { TestServer } from './test-server.ts';

/** What is asked of a server here: that it answers. */
export type ListServer = Pick<TestServer, 'get' | 'issuer'> & { readonly clock: Clock };

/** A status list as JSON (draft-ietf-oauth-status-list section 4.2). */
export interface EncodedStatusList {
  readonly bits: number;
  readonly lst: string;
}

/**
 * Section 8.3, steps 5 and 6, written from the text of the draft and nothing of the server's: the status at an index.
 * @throws RangeError out of bounds, which a relying party must take for a refusal.
 */
export function statusAt({ bits, lst }: EncodedStatusList, index: number): number {
  const bytes = inflateSync(Buffer.from(lst, 'base64url'));
  const inAByte = 8 / bits;
  const byte = bytes[Math.floor(index / inAByte)];
  if (![1, 2, 4, 8].includes(bits) || byte === undefined) {
    throw new RangeError(`no status at ${index}`);
  }
  // "from the least significant bit to the most significant bit"
  return Math.floor(byte / 2 ** ((index % inAByte) * bits)) % 2 ** bits;
}

/** How many statuses a list has room for. */
export function lengthOf({ bits, lst }: EncodedStatusList): number {
  return (inflateSync(Buffer.from(lst, 'base64url')).length * 8) / bits;
}

/** The reference of a token (section 6.2). @throws Error when it has none. */
export function referenceIn(token: unknown): { readonly idx: number; readonly uri: string } {
  const claims = JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()) as {
    status?: { status_list: { idx: number; uri: string } };
  };
  if (claims.status === undefined) {
    throw new Error('the token names no status list');
  }
  return claims.status.status_list;
}

/** The list at an address, with every check of section 8.3 but the freshness. */
export async function fetchList(
  server: ListServer,
  uri: string,
): Promise<{ readonly list: EncodedStatusList; readonly response: Response }> {
  const response = await server.get(uri.slice(server.issuer.length), { accept: 'application/statuslist+jwt' });
  const token = await response.text();
  if (response.status !== 200 || response.headers.get('content-type') !== 'application/statuslist+jwt') {
    throw new Error(`no list but ${response.status}: ${token}`);
  }
  const keys = (await answerOf(server.get('/jwks'))).body as unknown as JSONWebKeySet;
  const { payload } = await jwtVerify(token, createLocalJWKSet(keys), {
    typ: 'statuslist+jwt',
    subject: uri,
    requiredClaims: ['sub', 'iat', 'exp', 'ttl', 'status_list'],
    currentDate: new Date(server.clock.now() * 1000),
  });
  return { list: payload['status_list'] as EncodedStatusList, response };
}

/** What a resource server finds out about a token without asking about it: 0 VALID, 1 INVALID. */
export async function statusOf(server: ListServer, token: unknown): Promise<number> {
  await readAccessToken(server, token);
  const { idx, uri } = referenceIn(token);
  return statusAt((await fetchList(server, uri)).list, idx);
}

/** The same where the token's key is gone, so that its signature cannot be looked at. */
export async function listedStatus(server: ListServer, token: unknown): Promise<number> {
  const { idx, uri } = referenceIn(token);
  return statusAt((await fetchList(server, uri)).list, idx);
}
