import type { Session, Sessions } from '../interaction/session.ts';
import type { Database } from './database.ts';

/** The records of sessions in the database. */
export function sessionsIn(database: Database): Sessions {
  return {
    async create(session) {
      await database.rows(
        `INSERT INTO sessions (id, user_id, auth_time, methods, created_at, idle_expires_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
        [
          session.id,
          session.userId,
          session.authTime,
          JSON.stringify(session.methods),
          session.createdAt,
          session.idleExpiresAt,
          session.expiresAt,
        ],
      );
    },
    async findLive(id, now) {
      const [row] = await database.rows<SessionRow>(
        `SELECT sessions.* FROM sessions JOIN users ON users.id = sessions.user_id
         WHERE sessions.id = ? AND sessions.idle_expires_at > ? AND sessions.expires_at > ? AND users.disabled_at IS NULL`,
        [id, now, now],
      );
      return row && sessionOf(row);
    },
    async touch(id, idleExpiresAt) {
      await database.rows('UPDATE sessions SET idle_expires_at = ? WHERE id = ?', [idleExpiresAt, id]);
    },
    async end(id) {
      await database.rows('DELETE FROM sessions WHERE id = ?', [id]);
    },
  };
}

interface SessionRow {
  readonly id: string;
  readonly user_id: string;
  readonly auth_time: number;
  readonly methods: string;
  readonly created_at: number;
  readonly idle_expires_at: number;
  readonly expires_at: number;
}

function sessionOf(row: SessionRow): Session {
  return {
    id: row.id,
    userId: row.user_id,
    authTime: row.auth_time,
    methods: JSON.parse(row.methods),
    createdAt: row.created_at,
    idleExpiresAt: row.idle_expires_at,
    expiresAt: row.expires_at,
  };
}
