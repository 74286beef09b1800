import type { ProtocolRequest } from '../core/endpoint.ts';
import { InvalidRequest, OAuthError } from '../core/errors.ts';
import { DPOP_ALGORITHMS } from './dpop-key.ts';

/** An access token as a request presents it. */
export interface PresentedAccessToken {
  readonly token: string;
  /** How: a `Bearer` token is presented by whoever holds it, a `DPoP` one with a proof (RFC 9449 section 7.1). */
  readonly scheme: 'Bearer' | 'DPoP';
}

/** RFC 6750 section 3.1: there is no access token in the request, or it is not, or no longer, good for anything here. */
export class InvalidToken extends OAuthError {
  readonly code = 'invalid_token';
  override readonly status = 401;
  override readonly headers: Readonly<Record<string, string>>;

  /** @param detail undefined: there was none, and then the challenge says nothing but how to present one. */
  constructor(detail?: string, scheme: PresentedAccessToken['scheme'] = 'Bearer', realm: string = USERINFO) {
    super(
      detail === undefined
        ? 'There is no access token in the request: send one in the Authorization header.'
        : 'The access token is not valid: it is unknown, expired, or revoked.',
      detail,
    );
    this.headers = challenge(scheme, realm, detail === undefined ? {} : { error: this.code, error_description: this.message });
  }
}

/** RFC 6750 section 3.1: the token is good, and not for this. */
export class InsufficientScope extends OAuthError {
  readonly code = 'insufficient_scope';
  override readonly status = 403;
  override readonly headers: Readonly<Record<string, string>>;

  constructor(scope: string, scheme: PresentedAccessToken['scheme'] = 'Bearer', realm: string = USERINFO) {
    super(`The access token has not the scope ${scope}.`);
    this.headers = challenge(scheme, realm, { error: this.code, error_description: this.message, scope });
  }
}

const USERINFO = 'userinfo';
const CREDENTIALS = /^(bearer|dpop) +([A-Za-z0-9\-._~+/]+=*)$/i;

/**
 * The access token of a request (RFC 6750 section 2): in the header or, as a Bearer token, in the form. Not supported: in the URL (section
 * 2.3), where logs and histories keep it.
 * @param realm names the resource in the challenge (RFC 9110 section 11.5).
 * @throws InvalidToken when there is none, InvalidRequest when there are two or one is in the URL.
 */
export function presentedAccessToken(
  { headers: { authorization }, form, query }: ProtocolRequest,
  realm: string = USERINFO,
): PresentedAccessToken {
  if (query.entries.some(([name]) => name === 'access_token')) {
    throw new InvalidRequest('The access token must be sent in the Authorization header, never in the URL (RFC 6750 section 2.3).');
  }
  const inForm = form.get('access_token');
  if (authorization === undefined) {
    if (inForm === undefined) {
      throw new InvalidToken(undefined, 'Bearer', realm);
    }
    return { token: inForm, scheme: 'Bearer' };
  }
  if (inForm !== undefined) {
    throw new InvalidRequest('The access token is sent in two ways at once: use one (RFC 6750 section 2).');
  }
  const [, scheme, token] = CREDENTIALS.exec(String(authorization)) ?? [];
  if (token === undefined) {
    throw new InvalidToken(undefined, 'Bearer', realm);
  }
  return { token, scheme: scheme?.toLowerCase() === 'dpop' ? 'DPoP' : 'Bearer' };
}

function challenge(scheme: string, realm: string, parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  // RFC 9449 section 7.1: which algorithms a proof may have.
  const all = { realm, ...parameters, ...(scheme === 'DPoP' ? { algs: DPOP_ALGORITHMS.join(' ') } : {}) };
  return {
    'www-authenticate': `${scheme} ${Object.entries(all)
      .map(([name, value]) => `${name}="${value}"`)
      .join(', ')}`,
  };
}
