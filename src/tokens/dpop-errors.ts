import { OAuthError } from '../core/errors.ts';
import { DPOP_ALGORITHMS } from './dpop-key.ts';

/** RFC 9449 section 5: the DPoP proof is missing where there must be one, malformed, for another request, too old, or used before. */
export class InvalidDpopProof extends OAuthError {
  readonly code = 'invalid_dpop_proof';
}

/** RFC 9449 section 8: the proof must carry the nonce that comes with this answer. The client tries again with it. */
export class UseDpopNonce extends OAuthError {
  readonly code = 'use_dpop_nonce';
  override readonly headers: Readonly<Record<string, string>>;

  constructor(nonce: string, detail: string) {
    super('The DPoP proof must have the nonce of the DPoP-Nonce header: make a new proof with it and try again.', detail);
    this.headers = { 'dpop-nonce': nonce };
  }
}

/** RFC 9449 section 7.1: the same at a protected resource, and an access token that is not presented as it is bound. Always a challenge. */
export class DpopChallenge extends OAuthError {
  readonly code: 'invalid_token' | 'invalid_dpop_proof' | 'use_dpop_nonce';
  override readonly status = 401;
  override readonly headers: Readonly<Record<string, string>>;

  /** @param description of printable ASCII without quote and backslash, since it becomes part of a header. */
  constructor(code: DpopChallenge['code'], description: string, detail?: string, headers: Readonly<Record<string, string>> = {}) {
    super(description, detail);
    this.code = code;
    const challenge = `DPoP error="${code}", error_description="${description}", algs="${DPOP_ALGORITHMS.join(' ')}"`;
    this.headers = { ...headers, 'www-authenticate': challenge };
  }
}
