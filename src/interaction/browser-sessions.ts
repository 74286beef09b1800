import type { EpochSeconds } from '../core/clock.ts';
import type { ProtocolRequest, SetCookie } from '../core/endpoint.ts';
import { IDENTIFIER_BYTES, identifierFromBytes, newIdentifier, writeIdentifier } from '../core/identifiers.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { mintBytes, proveBytes } from '../tokens/authenticated-bytes.ts';
import type { Session, Sessions } from './session.ts';

/** The login of the browser that sends a request. Its cookie proves itself, as refresh tokens do: the database holds nothing to steal. */
export interface BrowserSessions {
  /** The live session of the request, its idle time counted anew. */
  current(request: ProtocolRequest, now: EpochSeconds): Promise<Session | undefined>;
  /** Logs a user in, in a new session (never one that a stranger may have planted); the browser's old one goes (`Sessions.create`). */
  begin(request: ProtocolRequest, userId: string, methods: readonly string[], now: EpochSeconds): Promise<readonly SetCookie[]>;
  /**
   * Adds what the user has shown since to a session, which gets a new cookie. `authTime` becomes `now`; how long the session lives stays.
   * @returns undefined when it is over.
   */
  stepUp(session: Session, methods: readonly string[], now: EpochSeconds): Promise<readonly SetCookie[] | undefined>;
  /** Ends the browser's session, with all that follows (`Sessions.end`). */
  end(request: ProtocolRequest, now: EpochSeconds): Promise<readonly SetCookie[]>;
}

const COOKIE = 'keyturn_session';
const DOMAIN = 'keyturn session';
// Moving the idle end is a write: once in a while is enough.
const TOUCH_AFTER_SECONDS = 60;

export function browserSessions(rooms: {
  readonly sessions: Sessions;
  readonly secrets: ServerSecrets;
  readonly idleSeconds: number;
  readonly absoluteSeconds: number;
  /** Called when a session has ended: there may be something to deliver. */
  readonly onEnd: () => void;
}): BrowserSessions {
  const { sessions, secrets, idleSeconds, absoluteSeconds, onEnd } = rooms;

  return {
    async current(request, now) {
      const id = sessionIdOf(request);
      const session = id === undefined ? undefined : await sessions.findLive(id, now);
      if (session === undefined) {
        return undefined;
      }
      const idleExpiresAt = Math.min(now + idleSeconds, session.expiresAt);
      if (idleExpiresAt - session.idleExpiresAt >= TOUCH_AFTER_SECONDS) {
        await sessions.touch(session.id, idleExpiresAt);
      }
      return session;
    },
    async begin(request, userId, methods, now) {
      const old = sessionIdOf(request);
      const id = newIdentifier();
      const expiresAt = now + absoluteSeconds;
      const idleExpiresAt = Math.min(now + idleSeconds, expiresAt);
      await sessions.create({ id, userId, authTime: now, methods, createdAt: now, idleExpiresAt, expiresAt }, old);
      if (old !== undefined) {
        onEnd();
      }
      return [{ name: COOKIE, value: cookieOf(id), maxAgeSeconds: absoluteSeconds }];
    },
    async stepUp(session, methods, now) {
      const id = newIdentifier();
      const isLive = await sessions.stepUp(session.id, { id, methods, authTime: now }, now);
      return isLive ? [{ name: COOKIE, value: cookieOf(id), maxAgeSeconds: session.expiresAt - now }] : undefined;
    },
    async end(request, now) {
      const id = sessionIdOf(request);
      if (id !== undefined) {
        await sessions.end(id, now);
        onEnd();
      }
      return [{ name: COOKIE, value: '', maxAgeSeconds: 0 }];
    },
  };

  function cookieOf(id: string): string {
    const payload = Buffer.allocUnsafe(IDENTIFIER_BYTES);
    writeIdentifier(id, payload, 0);
    return mintBytes(secrets, DOMAIN, payload);
  }

  function sessionIdOf({ cookies }: ProtocolRequest): string | undefined {
    const cookie = cookies[COOKIE];
    const payload = cookie === undefined ? undefined : proveBytes(secrets, DOMAIN, cookie);
    return payload?.length === IDENTIFIER_BYTES ? identifierFromBytes(payload, 0) : undefined;
  }
}
