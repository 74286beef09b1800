import type { EpochSeconds } from '../core/clock.ts';
import type { ProtocolResponse } from '../core/endpoint.ts';
import type { OAuthError } from '../core/errors.ts';
import type { Language } from '../pages/languages.ts';
import type { AddressedRequest } from './authorization.ts';

/** When, and to whom: for the ways of answering that sign or show something. */
export interface AnswerOccasion {
  readonly language: Language;
  readonly now: EpochSeconds;
}

/** Sends the user back to the client with a code (RFC 6749 section 4.1.2) or another result, and `iss` (RFC 9207), in the mode it asked for. */
export async function authorizationResponse(
  { client, redirectUri, state, responseMode }: AddressedRequest,
  issuer: string,
  result: Readonly<Record<string, string>>,
  occasion: AnswerOccasion,
): Promise<ProtocolResponse> {
  if (redirectUri === undefined) {
    throw new Error('the answer to a deferred request has no redirect URI to go to');
  }
  const parameters = { ...result, ...(state === undefined ? {} : { state }), iss: issuer };
  return responseMode.send({ client, redirectUri, parameters, ...occasion });
}

/** RFC 6749 section 4.1.2.1. */
export function authorizationErrorResponse(
  request: AddressedRequest,
  issuer: string,
  error: OAuthError,
  occasion: AnswerOccasion,
): Promise<ProtocolResponse> {
  return authorizationResponse(request, issuer, { error: error.code, error_description: error.message }, occasion);
}
