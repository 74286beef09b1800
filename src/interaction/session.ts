import type { EpochSeconds } from '../core/clock.ts';

/** A browser in which a user has logged in. */
export interface Session {
  readonly id: string;
  /**
   * What grants and clients know the session by (OpenID Connect Back-Channel Logout section 2.1): it stays the same when its user logs in
   * again in the same browser, so that a later logout reaches the clients of the earlier login, too.
   */
  readonly sid: string;
  readonly userId: string;
  /** When the user last did something to authenticate: the login, or a factor that was added to it (RFC 9470 section 3). */
  readonly authTime: EpochSeconds;
  /** When the login began that it rests on, password and all: a factor that is added later moves `authTime` alone. */
  readonly loginTime: EpochSeconds;
  /** RFC 8176 authentication method references. */
  readonly methods: readonly string[];
  readonly createdAt: EpochSeconds;
  /** End unless it is used before; moved by `touch`. */
  readonly idleExpiresAt: EpochSeconds;
  /** End whatever happens. */
  readonly expiresAt: EpochSeconds;
}

/** A session about to begin, with a login: its `loginTime` is its `authTime`. */
export type NewSession = Omit<Session, 'sid' | 'loginTime'>;

/** The records of sessions. */
export interface Sessions {
  /**
   * Puts a session in place of the one the browser had (`replaces`), in one transaction. The same user's hands on its `sid`; another
   * user's ends, as by `end`.
   */
  create(session: NewSession, replaces?: string): Promise<void>;
  /** The session, if it is not over at `now` and its user is not disabled. */
  findLive(id: string, now: EpochSeconds): Promise<Session | undefined>;
  /** Whether a session of this name, as grants know it, is not over at `now`. */
  hasLive(sid: string, now: EpochSeconds): Promise<boolean>;
  /**
   * Records that the user has shown more than at the login: other methods, a new `authTime`, and a new `id`, so that the cookie from before is
   * worth nothing; the rest stays as it is. One statement. @returns false when the session is over: then there is none.
   */
  stepUp(id: string, to: Pick<Session, 'id' | 'methods' | 'authTime'>, now: EpochSeconds): Promise<boolean>;
  touch(id: string, idleExpiresAt: EpochSeconds): Promise<void>;
  /**
   * Ends a session with all that follows for the clients of its grants: those that registered for it are told (their deliveries are in the
   * outbox), and grants end where the client wants that. One transaction. Idempotent.
   */
  end(id: string, now: EpochSeconds): Promise<void>;
}
