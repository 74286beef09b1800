import { createHash, type HashOptions } from 'node:crypto';
import { contextClassOf } from '../accounts/authentication-context.ts';
import type { Users } from '../accounts/user.ts';
import type { AnswerEncryption } from '../clients/answer-encryption.ts';
import type { Client } from '../clients/client.ts';
import { permittedAlgorithms } from '../clients/fapi2-profile.ts';
import type { Lifetimes, SigningAlgorithm } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { Scope } from '../core/scope.ts';
import type { Grant } from '../grants/grant.ts';
import { answerAlgorithm } from '../keys/answer-algorithm.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { idTokenSeconds } from './lifetimes.ts';
import type { Subjects } from './subjects.ts';
import { claimsFor, permittedRequests } from './user-claims.ts';

/** Which login an ID token tells of, and to whom. */
export interface IdTokenOrder {
  readonly client: Client;
  readonly grant: Grant;
  /** What was granted, and asked for: the access token that goes with it carries less where its resource knows less. */
  readonly scope: Scope;
  readonly accessToken: string;
  /** The answer to the authentication request itself echoes its nonce; a later one does not (OpenID Connect Core section 12.2). */
  readonly answers: 'authentication' | 'refresh';
}

/** Makes ID tokens. @returns undefined when the scope has no `openid`: then none is due. @throws what `AnswerEncryption` throws */
export type IdTokenIssuer = (order: IdTokenOrder, now: EpochSeconds) => Promise<string | undefined>;

/** OpenID Connect Core section 2, signed and, for a client that is registered so, then encrypted (section 10.2). Not there: `azp`, which says something only where the audience is not the client alone. */
export function idTokenIssuer(rooms: {
  readonly issuer: string;
  readonly keys: Pick<KeyRing, 'current'>;
  /** SIGNING_ALGS. */
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  readonly lifetimes: Lifetimes;
  readonly subjects: Subjects;
  readonly users: Pick<Users, 'find'>;
  readonly answerEncryption: Pick<AnswerEncryption, 'encrypted'>;
}): IdTokenIssuer {
  const { issuer, keys, algorithms, lifetimes, subjects, answerEncryption } = rooms;

  return async (order, now) => {
    const { client, grant, scope, accessToken } = order;
    if (!scope.includes('openid')) {
      return undefined;
    }
    const key = keys.current(answerAlgorithm(client.metadata.id_token_signed_response_alg, permittedAlgorithms(client, algorithms)));
    const { authTime, methods, sessionId } = grant.authentication;
    const idToken = await key.sign('JWT', {
      ...(await requestedClaims(order, rooms.users)),
      iss: issuer,
      sub: subjects.of(client, grant.user.id),
      aud: client.id,
      exp: now + idTokenSeconds(client, lifetimes),
      iat: now,
      auth_time: authTime,
      nonce: order.answers === 'authentication' ? grant.openid?.nonce : undefined,
      acr: contextClassOf(methods),
      amr: methods,
      at_hash: leftHalfOfHash(accessToken, key.alg),
      sid: subjects.ofSession(client, sessionId),
      // For clients that may exchange it for an ID-JAG: by this it is known whether the login still counts.
      grant_id: client.metadata.id_jag === undefined ? undefined : grant.id,
    });
    return answerEncryption.encrypted(client, 'id_token', idToken);
  };
}

/** The claims of scope values are told at the userinfo endpoint (section 5.4): in here is what was asked for in here. */
async function requestedClaims({ client, grant }: IdTokenOrder, users: Pick<Users, 'find'>): Promise<object> {
  const requests = permittedRequests(grant.openid?.claims?.id_token, client.scope);
  if (Object.keys(requests).length === 0) {
    return {};
  }
  const user = await users.find(grant.user.id);
  return user === undefined ? {} : claimsFor(user, { scope: [], requests });
}

// The hash of each algorithm (section 3.1.3.6). Ed25519 has SHA-512 inside (RFC 8032 section 5.1), ML-DSA SHAKE256, with 64 bytes of it for the
// message (FIPS 204 section 6.2); RFC 9964 says nothing of at_hash, and clients that know these algorithms take it to be that.
const SHAKE256 = { name: 'shake256', options: { outputLength: 64 } };
const SHA256 = { name: 'sha256' };
const SHA512 = { name: 'sha512' };
const HASHES = {
  ES256: SHA256,
  ES384: { name: 'sha384' },
  ES512: SHA512,
  RS256: SHA256,
  PS256: SHA256,
  Ed25519: SHA512,
  EdDSA: SHA512,
  'ML-DSA-44': SHAKE256,
  'ML-DSA-65': SHAKE256,
  'ML-DSA-87': SHAKE256,
} as const satisfies Record<SigningAlgorithm, { readonly name: string; readonly options?: HashOptions }>;

function leftHalfOfHash(text: string, alg: SigningAlgorithm): string {
  const { name, options }: { readonly name: string; readonly options?: HashOptions } = HASHES[alg];
  const hash = createHash(name, options).update(text, 'ascii').digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}
