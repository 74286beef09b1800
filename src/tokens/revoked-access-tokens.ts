import type { EpochSeconds } from '../core/clock.ts';

/** Access tokens that were revoked one by one (RFC 7009) before they expired; a revoked grant ends its tokens without standing here. */
export interface RevokedAccessTokens {
  /**
   * Idempotent and durable, with its entry in the status lists in the same transaction.
   * @param expiresAt when the token expires by itself and the record may go. @param status undefined: the token names no entry.
   */
  add(jti: string, expiresAt: EpochSeconds, status?: { readonly entry: number; readonly now: EpochSeconds }): Promise<void>;
  has(jti: string): Promise<boolean>;
}
