import type { EpochSeconds } from '../core/clock.ts';

/** A browser in which a user has logged in. */
export interface Session {
  readonly id: string;
  readonly userId: string;
  readonly authTime: EpochSeconds;
  /** RFC 8176 authentication method references. */
  readonly methods: readonly string[];
  readonly createdAt: EpochSeconds;
  /** End unless it is used before; moved by `touch`. */
  readonly idleExpiresAt: EpochSeconds;
  /** End whatever happens. */
  readonly expiresAt: EpochSeconds;
}

/** The records of sessions. */
export interface Sessions {
  create(session: Session): Promise<void>;
  /** The session, if it is not over at `now` and its user is not disabled. */
  findLive(id: string, now: EpochSeconds): Promise<Session | undefined>;
  touch(id: string, idleExpiresAt: EpochSeconds): Promise<void>;
  /** Idempotent. */
  end(id: string): Promise<void>;
}
