import type { Client } from '../clients/client.ts';
import { permittedAlgorithms } from '../clients/fapi2-profile.ts';
import type { SigningAlgorithm } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { answerAlgorithm } from '../keys/answer-algorithm.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { Subjects } from '../tokens/subjects.ts';
import type { SecurityEvent } from './security-event.ts';

/** Makes security event tokens. Signed anew each time it is told, with the same `jti`. */
export type SecurityEventTokenIssuer = (event: SecurityEvent, client: Client, now: EpochSeconds) => Promise<string>;

/**
 * RFC 8417, profiled by SSF 1.0 section 5.1: typed, with neither `exp` nor `sub`, so that it passes for no other JWT (RFC 8417 section 4), and
 * signed as the client's ID tokens are. Not supported: encryption; it travels over TLS to the receiver alone.
 */
export function securityEventTokenIssuer(rooms: {
  readonly issuer: string;
  readonly keys: Pick<KeyRing, 'current'>;
  /** SIGNING_ALGS. */
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  readonly subjects: Subjects;
}): SecurityEventTokenIssuer {
  const { issuer, keys, algorithms, subjects } = rooms;
  return async (event, client, now) => {
    const key = keys.current(answerAlgorithm(client.metadata.id_token_signed_response_alg, permittedAlgorithms(client, algorithms)));
    return key.sign('secevent+jwt', {
      iss: issuer,
      aud: client.id,
      iat: now,
      jti: event.id,
      txn: event.txn,
      sub_id: subjectIdentifier(event, client),
      events: { [event.type]: event.event },
    });
  };

  /** RFC 9493 section 3.2: users by the `sub` that this client knows; sessions by their `sid`, with the user (SSF 1.0 section 3.3). */
  function subjectIdentifier({ subject, streamId }: SecurityEvent, client: Client): object {
    switch (subject.kind) {
      case 'stream':
        return { format: 'opaque', id: streamId };
      case 'user':
        return userIdentifier(client, subject.userId);
      case 'session':
        return {
          format: 'complex',
          user: userIdentifier(client, subject.userId),
          session: { format: 'opaque', id: subjects.ofSession(client, subject.sessionId) },
        };
      default:
        return subject satisfies never;
    }
  }

  function userIdentifier(client: Client, userId: string): object {
    return { format: 'iss_sub', iss: issuer, sub: subjects.of(client, userId) };
  }
}
