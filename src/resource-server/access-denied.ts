/** The `error` of an answer: RFC 6750 section 3.1, RFC 9449 section 7.1, RFC 9470 section 3; the last one while a status list is away. */
export type DenialCode =
  | 'invalid_request'
  | 'invalid_token'
  | 'insufficient_scope'
  | 'invalid_dpop_proof'
  | 'use_dpop_nonce'
  | 'insufficient_user_authentication'
  | 'temporarily_unavailable';

/**
 * A request that is not let in. What is to be answered is all there: `status`, `headers` (lower-case names; `www-authenticate` carries the
 * challenge) and `body`. `detail` is for the log alone.
 */
export class AccessDenied extends Error {
  readonly status: number;
  /** undefined: the request had no token, and is told how to present one and no more (RFC 6750 section 3.1). */
  readonly code: DenialCode | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly detail: string | undefined;

  constructor(denial: {
    readonly status: number;
    readonly code: DenialCode | undefined;
    readonly description: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly detail?: string | undefined;
  }) {
    super(denial.description);
    this.name = 'AccessDenied';
    this.status = denial.status;
    this.code = denial.code;
    this.headers = { 'cache-control': 'no-store', ...denial.headers };
    this.detail = denial.detail;
  }

  /** The answer as JSON. */
  get body(): { readonly error?: DenialCode; readonly error_description: string } {
    return { ...(this.code === undefined ? {} : { error: this.code }), error_description: this.message };
  }
}
