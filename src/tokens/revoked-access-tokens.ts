import type { EpochSeconds } from '../core/clock.ts';

/** Access tokens that were revoked one by one (RFC 7009) before they expired; a revoked grant ends its tokens without standing here. */
export interface RevokedAccessTokens {
  /** Idempotent and durable. @param expiresAt when the token expires by itself and the record may go. */
  add(jti: string, expiresAt: EpochSeconds): Promise<void>;
  has(jti: string): Promise<boolean>;
}
