import type { ProtocolResponse } from '../core/endpoint.ts';
import type { OAuthError } from '../core/errors.ts';
import type { AddressedRequest } from './authorization.ts';

/** Sends the user back to the client with a code (RFC 6749 section 4.1.2) or another result, and `iss` (RFC 9207). */
export function authorizationResponse(
  { redirectUri, state }: AddressedRequest,
  issuer: string,
  result: Readonly<Record<string, string>>,
): ProtocolResponse & { readonly kind: 'redirect' } {
  const parameters = new URLSearchParams({ ...result, ...(state === undefined ? {} : { state }), iss: issuer });
  // RFC 6749 section 4.1.2 and 3.1.2: a query the client registered is kept.
  const separator = redirectUri.includes('?') ? '&' : '?';
  return { kind: 'redirect', location: `${redirectUri}${separator}${parameters.toString()}` };
}

/** RFC 6749 section 4.1.2.1. */
export function authorizationErrorResponse(
  request: AddressedRequest,
  issuer: string,
  error: OAuthError,
): ProtocolResponse & { readonly kind: 'redirect' } {
  return authorizationResponse(request, issuer, { error: error.code, error_description: error.message });
}
