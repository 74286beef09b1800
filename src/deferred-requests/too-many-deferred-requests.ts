import { OAuthError } from '../core/errors.ts';

/** More requests of one client wait for users than are kept (DEFERRED_REQUESTS_PER_CLIENT). */
export class TooManyDeferredRequests extends OAuthError {
  readonly code = 'temporarily_unavailable';
  override readonly status = 429;
  override readonly headers: Readonly<Record<string, string>>;

  /** @param retryAfterSeconds by then all that are kept now have expired. */
  constructor(retryAfterSeconds: number) {
    super('More requests of the client wait for users than are kept for one client: try again later.');
    this.headers = { 'retry-after': String(retryAfterSeconds) };
  }
}
