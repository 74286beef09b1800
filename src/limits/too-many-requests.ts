import { OAuthError } from '../core/errors.ts';
import { rateLimitFields } from './rate-limit-fields.ts';
import type { Allowance } from './rate-limiter.ts';

/**
 * RFC 6585 section 4: too many requests under one key. OAuth has no error code for it; `temporarily_unavailable` (RFC 6749 section 4.1.2.1) is
 * what clients know to come back after, and `slow_down` means another thing to those that poll (RFC 8628 section 3.5).
 */
export class TooManyRequests extends OAuthError {
  readonly code = 'temporarily_unavailable';
  override readonly status = 429;
  override readonly headers: Readonly<Record<string, string>>;

  constructor(allowance: Allowance) {
    super('Too many requests: try again later, and not before the time in Retry-After.', `limit ${allowance.limit.name}`);
    this.headers = { 'retry-after': String(allowance.retryAfterSeconds), ...rateLimitFields(allowance) };
  }
}
