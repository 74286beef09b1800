import type { Knex } from 'knex';
import type { NewSession, Session, Sessions } from '../interaction/session.ts';
import { changeOf } from '../signals/changes.ts';
import { type Database, rowsOf } from './database.ts';
import { endSessions } from './session-end.ts';

/** The records of sessions in the database. */
export function sessionsIn(database: Database): Sessions {
  return {
    create: (session, replaces) =>
      database.transaction(async (transaction) => {
        const sid = replaces === undefined ? undefined : await takeOver(transaction, session, replaces);
        await transaction<SessionRow>('sessions').insert(rowOf({ ...session, loginTime: session.authTime, sid: sid ?? session.id }));
      }),
    async findLive(id, now) {
      const [row] = await database.rows<SessionRow>(
        `SELECT sessions.* FROM sessions JOIN users ON users.id = sessions.user_id
         WHERE sessions.id = ? AND sessions.idle_expires_at > ? AND sessions.expires_at > ? AND users.disabled_at IS NULL`,
        [id, now, now],
      );
      return row && sessionOf(row);
    },
    async hasLive(sid, now) {
      const live = await database.rows('SELECT 1 FROM sessions WHERE sid = ? AND idle_expires_at > ? AND expires_at > ? LIMIT 1', [
        sid,
        now,
        now,
      ]);
      return live.length === 1;
    },
    async stepUp(id, to, now) {
      const changed = await database.rows(
        `UPDATE sessions SET id = ?, methods = ?, auth_time = ?
         WHERE id = ? AND idle_expires_at > ? AND expires_at > ?
           AND EXISTS (SELECT 1 FROM users WHERE users.id = sessions.user_id AND users.disabled_at IS NULL)
         RETURNING id`,
        [to.id, JSON.stringify(to.methods), to.authTime, id, now, now],
      );
      return changed.length === 1;
    },
    async touch(id, idleExpiresAt) {
      await database.rows('UPDATE sessions SET idle_expires_at = ? WHERE id = ?', [idleExpiresAt, id]);
    },
    async end(id, now) {
      await database.transaction((transaction) => endSessions(transaction, { id }, changeOf('logout', now)));
    },
  };
}

/** @returns the `sid` of the session that goes, where it was the same user's. */
async function takeOver(transaction: Knex.Transaction, session: NewSession, replaces: string): Promise<string | undefined> {
  const answer: unknown = await transaction.raw('DELETE FROM sessions WHERE id = ? AND user_id = ? RETURNING sid', [
    replaces,
    session.userId,
  ]);
  const [same] = rowsOf<{ readonly sid: string }>(answer);
  if (same === undefined) {
    await endSessions(transaction, { id: replaces }, changeOf('another_login', session.createdAt));
  }
  return same?.sid;
}

interface SessionRow {
  readonly id: string;
  readonly sid: string;
  readonly user_id: string;
  readonly auth_time: number;
  readonly login_time: number | null;
  readonly methods: string;
  readonly created_at: number;
  readonly idle_expires_at: number;
  readonly expires_at: number;
}

function rowOf(session: Session): SessionRow {
  return {
    id: session.id,
    sid: session.sid,
    user_id: session.userId,
    auth_time: session.authTime,
    login_time: session.loginTime,
    methods: JSON.stringify(session.methods),
    created_at: session.createdAt,
    idle_expires_at: session.idleExpiresAt,
    expires_at: session.expiresAt,
  };
}

function sessionOf(row: SessionRow): Session {
  return {
    id: row.id,
    sid: row.sid,
    userId: row.user_id,
    authTime: row.auth_time,
    loginTime: row.login_time ?? row.auth_time,
    methods: JSON.parse(row.methods),
    createdAt: row.created_at,
    idleExpiresAt: row.idle_expires_at,
    expiresAt: row.expires_at,
  };
}
