import type { EpochSeconds } from '../core/clock.ts';
import { newIdentifier } from '../core/identifiers.ts';
import type { Session, Sessions } from './session.ts';

/**
 * Logins in an application itself, without a browser. No cookie leads to such a session and no page sees it: it is there so that the grant has a
 * `sid`, and ends with all others of the user (a new password, a disabled user, `keyturn user sign-out`), its clients being told.
 */
export interface AppSessions {
  /**
   * A session that would begin now, for the rules to look at. Nothing is stored yet.
   * @param login `refreshes`: whether there will be a refresh token, whose grant the session's end must reach for longer than an access token.
   */
  of(login: { readonly userId: string; readonly methods: readonly string[]; readonly refreshes: boolean }, now: EpochSeconds): Session;
  begin(session: Session): Promise<void>;
}

export function appSessions(rooms: {
  readonly sessions: Pick<Sessions, 'create'>;
  readonly idleSeconds: number;
  readonly absoluteSeconds: number;
}): AppSessions {
  const { sessions, idleSeconds, absoluteSeconds } = rooms;
  return {
    of({ userId, methods, refreshes }, now) {
      const id = newIdentifier();
      // Nothing ever uses it, so that it has one end. A program that logs in again and again must not pile up rows for the longer time.
      const expiresAt = now + (refreshes ? absoluteSeconds : Math.min(idleSeconds, absoluteSeconds));
      return { id, sid: id, userId, authTime: now, loginTime: now, methods, createdAt: now, idleExpiresAt: expiresAt, expiresAt };
    },
    begin: (session) => sessions.create(session),
  };
}
