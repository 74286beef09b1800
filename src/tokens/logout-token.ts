import type { AnswerEncryption } from '../clients/answer-encryption.ts';
import type { Client } from '../clients/client.ts';
import { permittedAlgorithms } from '../clients/fapi2-profile.ts';
import type { SigningAlgorithm } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { answerAlgorithm } from '../keys/answer-algorithm.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Subjects } from './subjects.ts';

/** Whose session is over, and who is told. */
export interface LogoutTokenOrder {
  /** The `jti`: the same in every attempt to tell of this logout. */
  readonly id: string;
  readonly client: Client;
  readonly userId: string;
  readonly sessionId: string;
}

/** Makes logout tokens. */
export type LogoutTokenIssuer = (order: LogoutTokenOrder, now: EpochSeconds) => Promise<string>;

const EVENT = 'http://schemas.openid.net/event/backchannel-logout';
// OpenID Connect Back-Channel Logout section 4: "preferably at most two minutes in the future".
const LIFETIME_SECONDS = 120;

/**
 * OpenID Connect Back-Channel Logout section 2.4, signed as the client's ID tokens are, and encrypted where they are: section 2.6 has clients
 * reject one that is not. No `nonce`, which would let it pass for one of them;
 * both `sub` and `sid`, so that a client may go by either.
 */
export function logoutTokenIssuer(rooms: {
  readonly issuer: string;
  readonly keys: Pick<KeyRing, 'current'>;
  /** SIGNING_ALGS. */
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  readonly subjects: Subjects;
  readonly answerEncryption: Pick<AnswerEncryption, 'encrypted'>;
}): LogoutTokenIssuer {
  const { issuer, keys, algorithms, subjects, answerEncryption } = rooms;
  return async ({ id, client, userId, sessionId }, now) => {
    const key = keys.current(answerAlgorithm(client.metadata.id_token_signed_response_alg, permittedAlgorithms(client, algorithms)));
    const logoutToken = await key.sign('logout+jwt', {
      iss: issuer,
      aud: client.id,
      iat: now,
      exp: now + LIFETIME_SECONDS,
      jti: id,
      sub: subjects.of(client, userId),
      sid: subjects.ofSession(client, sessionId),
      events: { [EVENT]: {} },
    });
    // Section 2.4: an encrypted one SHOULD have iss in its header too, so that a client of several servers knows whose it is.
    return answerEncryption.encrypted(client, 'id_token', logoutToken, { iss: issuer });
  };
}
