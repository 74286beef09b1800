import type { AnswerEncryption } from '../clients/answer-encryption.ts';
import { permittedAlgorithms } from '../clients/fapi2-profile.ts';
import type { SigningAlgorithm } from '../config/config.ts';
import type { EnabledFeatures } from '../config/feature-switches.ts';
import { answerAlgorithm } from '../keys/answer-algorithm.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { ResponseMode } from './response-modes.ts';
import { formPostMode, fragmentMode, queryMode } from './response-modes.ts';

// JARM section 2.1: "A maximum JWT lifetime of 10 minutes is RECOMMENDED."
const LIFETIME_SECONDS = 300;

/**
 * JWT Secured Authorization Response Mode (JARM): every answer, an error too, as one signed JWT in the parameter `response`. It has `iss` inside,
 * so that none is sent beside it (RFC 9207 section 2). Encrypted for a client that is registered so (section 2.2); when it has no key for that,
 * nothing goes to it, and the user sees the error.
 */
export function signedResponseModes(rooms: {
  readonly issuer: string;
  readonly keys: Pick<KeyRing, 'current'>;
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  readonly answerEncryption: Pick<AnswerEncryption, 'encrypted'>;
  readonly enabled: EnabledFeatures;
}): readonly ResponseMode[] {
  const { issuer, keys, algorithms, answerEncryption, enabled } = rooms;
  // Section 2.3.4: `jwt` alone is what the response type has by default, with a JWT.
  return [
    signed('jwt', queryMode),
    signed('query.jwt', queryMode),
    ...(enabled.has('fragment') ? [signed('fragment.jwt', fragmentMode)] : []),
    ...(enabled.has('form-post') ? [signed('form_post.jwt', formPostMode)] : []),
  ];

  function signed(name: string, mode: ResponseMode): ResponseMode {
    return {
      name,
      canReach: mode.canReach,
      async send(answer) {
        const { client, parameters, now } = answer;
        const key = keys.current(
          answerAlgorithm(client.metadata.authorization_signed_response_alg, permittedAlgorithms(client, algorithms)),
        );
        const jwt = await key.sign('JWT', { ...parameters, iss: issuer, aud: client.id, exp: now + LIFETIME_SECONDS });
        const response = await answerEncryption.encrypted(client, 'authorization', jwt);
        return mode.send({ ...answer, parameters: { response } });
      },
    };
  }
}
