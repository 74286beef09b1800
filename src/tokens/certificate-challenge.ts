import { OAuthError } from '../core/errors.ts';

/** RFC 8705 section 3: a token that is bound to a certificate comes without it. "401 status code and with "invalid_token" error code". */
export class CertificateChallenge extends OAuthError {
  readonly code = 'invalid_token';
  override readonly status = 401;
  override readonly headers: Readonly<Record<string, string>>;

  /** @param description of printable ASCII without quote and backslash, since it becomes part of a header. */
  constructor(description: string) {
    super(description);
    this.headers = { 'www-authenticate': `Bearer error="${this.code}", error_description="${description}"` };
  }
}
