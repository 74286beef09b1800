import type { AnswerEncryption } from '../clients/answer-encryption.ts';
import type { Client } from '../clients/client.ts';
import { permittedAlgorithms } from '../clients/fapi2-profile.ts';
import type { SigningAlgorithm } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { answerAlgorithm } from '../keys/answer-algorithm.ts';
import type { KeyRing } from '../keys/key-ring.ts';

/** Media type of a signed introspection response (RFC 9701 section 5). */
export const SIGNED_INTROSPECTION = 'application/token-introspection+jwt';

/** Signs what introspection says, for the caller that it is said to. */
export type IntrospectionSigner = (caller: Client, answer: object, now: EpochSeconds) => Promise<string>;

/**
 * RFC 9701 section 5: the answer stands in a claim of its own, and the JWT has neither `sub` nor `exp`, so that it is no access token to
 * anybody. Encrypted for a caller that is registered so (section 6).
 */
export function introspectionSigner(rooms: {
  readonly issuer: string;
  readonly keys: Pick<KeyRing, 'current'>;
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  readonly answerEncryption: Pick<AnswerEncryption, 'encrypted'>;
}): IntrospectionSigner {
  const { issuer, keys, algorithms, answerEncryption } = rooms;
  return async (caller, answer, now) => {
    const key = keys.current(answerAlgorithm(caller.metadata.introspection_signed_response_alg, permittedAlgorithms(caller, algorithms)));
    const jwt = await key.sign('token-introspection+jwt', { iss: issuer, aud: caller.id, iat: now, token_introspection: answer });
    return answerEncryption.encrypted(caller, 'introspection', jwt);
  };
}

/** Whether an `Accept` header (RFC 9110 section 12.5.1) names the media type, and none of JSON rather. */
export function asksForSignedIntrospection(accept: string | readonly string[] | undefined): boolean {
  const ranges = String(accept ?? '')
    .split(',')
    .map(readRange);
  const weightOf = (type: string): number => Math.max(0, ...ranges.filter((range) => range.type === type).map(({ weight }) => weight));
  const signed = weightOf(SIGNED_INTROSPECTION);
  return signed > 0 && signed >= weightOf('application/json');
}

function readRange(text: string): { readonly type: string; readonly weight: number } {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2);
  return { type, weight: quality === undefined ? 1 : Number(quality) || 0 };
}
