import type { Users } from '../accounts/user.ts';
import type { AnswerEncryption } from '../clients/answer-encryption.ts';
import type { Client } from '../clients/client.ts';
import { permittedAlgorithms } from '../clients/fapi2-profile.ts';
import type { SigningAlgorithm } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { refuseRepeats } from '../core/parameters.ts';
import { parseScope } from '../core/scope.ts';
import { answerAlgorithm } from '../keys/answer-algorithm.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { AccessTokenBacker, AccessTokenBacking } from '../tokens/access-token-backing.ts';
import type { AccessTokenReader, OwnAccessToken } from '../tokens/own-access-tokens.ts';
import { InsufficientScope, InvalidToken, type PresentedAccessToken, presentedAccessToken } from '../tokens/presented-access-token.ts';
import { provenAccess, type SenderConstraint } from '../tokens/sender-constraint.ts';
import type { Subjects } from '../tokens/subjects.ts';
import { claimsFor, permittedRequests } from '../tokens/user-claims.ts';

/**
 * OpenID Connect Core section 5.3: tells a client about the user who logged in, by any access token of that login, whatever else the token is
 * meant for. As JSON, or as a JWT, signed or encrypted or both, for a client that is registered so.
 */
export function userinfoEndpoint(rooms: {
  readonly issuer: string;
  readonly readAccessToken: AccessTokenReader;
  readonly backingOf: AccessTokenBacker;
  readonly senderConstraints: readonly SenderConstraint[];
  readonly users: Pick<Users, 'find'>;
  readonly subjects: Subjects;
  readonly keys: Pick<KeyRing, 'current'>;
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  readonly answerEncryption: Pick<AnswerEncryption, 'encrypted' | 'encryptedJson'>;
  readonly limits: Pick<RequestLimits, 'user'>;
  readonly clock: Clock;
}): Endpoint {
  const { issuer, readAccessToken, backingOf, senderConstraints, users, subjects, keys, algorithms, answerEncryption, limits, clock } =
    rooms;
  const path = '/userinfo';

  return {
    path,
    methods: ['GET', 'POST'],
    metadataName: 'userinfo_endpoint',
    crossOrigin: true,
    async handle(request) {
      refuseRepeats(request.form);
      const presented = presentedAccessToken(request);
      const token = await readAccessToken(presented.token, clock.now());
      const backing = token && (await backingOf(token));
      if (token === undefined || backing === undefined) {
        throw new InvalidToken('unknown, expired or revoked', presented.scheme);
      }
      if (backing.grant !== undefined) {
        limits.user(backing.grant.user.id, request);
      }
      const claims = await claimsBy(token, backing, presented.scheme);
      // Last, because a proof is used up.
      const { client } = backing;
      const headers = await provenAccess(senderConstraints, request, path, { token: presented.token, claims: token.claims, client });
      const body = await jwtOf(client, claims);
      return body === undefined
        ? { kind: 'json', status: 200, body: claims, headers }
        : { kind: 'jwt', status: 200, contentType: 'application/jwt', body, headers };
    },
  };

  /** Section 5.3.2: iss and aud of what is signed say who answers whom. @returns undefined for a client that wants JSON. */
  async function jwtOf(client: Client, claims: object): Promise<string | undefined> {
    const { userinfo_signed_response_alg: wanted } = client.metadata;
    if (wanted === undefined) {
      return answerEncryption.encryptedJson(client, 'userinfo', claims);
    }
    const signed = await keys
      .current(answerAlgorithm(wanted, permittedAlgorithms(client, algorithms)))
      .sign('JWT', { ...claims, iss: issuer, aud: client.id });
    return answerEncryption.encrypted(client, 'userinfo', signed);
  }

  async function claimsBy(
    { claims: { scope: granted } }: OwnAccessToken,
    { client, grant }: AccessTokenBacking,
    scheme: PresentedAccessToken['scheme'],
  ): Promise<object> {
    const scope = parseScope(typeof granted === 'string' ? granted : '');
    if (grant === undefined || !scope.includes('openid')) {
      throw new InsufficientScope('openid', scheme);
    }
    const user = await users.find(grant.user.id);
    if (user === undefined) {
      throw new InvalidToken('the user is gone', scheme);
    }
    const requests = permittedRequests(grant.openid?.claims?.userinfo, client.scope);
    // A scope value that was taken from the client since then gives nothing any more.
    const remaining = scope.filter((value) => client.scope.includes(value));
    return { sub: subjects.of(client, user.id), ...claimsFor(user, { scope: remaining, requests }) };
  }
}
