import type { IncomingRequest } from './incoming-request.ts';
import { Refusal } from './refusal.ts';

export interface PresentedToken {
  readonly scheme: 'Bearer' | 'DPoP';
  readonly token: string;
}

// RFC 6750 section 2.1, b64token. Scheme names are the same in any case (RFC 9110 section 11.1).
const CREDENTIALS = /^(Bearer|DPoP) +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * The token of the Authorization header, the one place where this library reads any: one in the query ends up in logs (RFC 6750 section 2.3, RFC
 * 9700 section 4.3.2), and one in the body is of use to nobody here.
 * @returns undefined: the request has none. @throws Refusal when the header has something else of these schemes.
 */
export function presentedToken(request: IncomingRequest): PresentedToken | undefined {
  const header = request.header('authorization');
  if (header === undefined || !/^(?:Bearer|DPoP)\b/i.test(header)) {
    return undefined;
  }
  const [, scheme, token] = CREDENTIALS.exec(header.trim()) ?? [];
  if (scheme === undefined || token === undefined) {
    throw new Refusal('invalid_request', 'The Authorization header must be Bearer or DPoP, a space, and the access token.');
  }
  return { scheme: scheme.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer', token };
}
