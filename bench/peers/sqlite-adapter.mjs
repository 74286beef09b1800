/**
 * An adapter of oidc-provider for SQLite, with the driver and the durability of Keyturn. What it adds to the interface's own example is that
 * `consume` is conditional: of several requests that present one token at the same moment only one goes on.
 */
import { errors } from 'oidc-provider';
import sqlite3 from 'sqlite3';

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS records (
    model TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL, grant_id TEXT, uid TEXT, user_code TEXT, consumed_at INTEGER, expires_at INTEGER,
    PRIMARY KEY (model, id)) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS records_grant ON records (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS records_uid ON records (uid) WHERE uid IS NOT NULL;`;

const UPSERT = `
  INSERT INTO records (model, id, payload, grant_id, uid, user_code, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (model, id) DO UPDATE SET payload = excluded.payload, grant_id = excluded.grant_id, uid = excluded.uid,
    user_code = excluded.user_code, expires_at = excluded.expires_at`;

/** @returns the class that oidc-provider makes one of for each of its models. */
export async function sqliteAdapter(file) {
  const database = await new Promise((resolve, reject) => {
    const opened = new sqlite3.Database(file, (error) => (error ? reject(failure(error)) : resolve(opened)));
  });
  await new Promise((resolve, reject) => database.exec(SCHEMA, (error) => (error ? reject(failure(error)) : resolve())));
  const prepare = (sql) => database.prepare(sql);
  const upsert = prepare(UPSERT);
  const find = prepare('SELECT payload, consumed_at FROM records WHERE model = ? AND id = ? AND (expires_at IS NULL OR expires_at > ?)');
  const findByUid = prepare('SELECT payload, consumed_at FROM records WHERE model = ? AND uid = ?');
  const findByUserCode = prepare('SELECT payload, consumed_at FROM records WHERE model = ? AND user_code = ?');
  const consume = prepare('UPDATE records SET consumed_at = ? WHERE model = ? AND id = ? AND consumed_at IS NULL');
  const destroy = prepare('DELETE FROM records WHERE model = ? AND id = ?');
  const revoke = prepare('DELETE FROM records WHERE grant_id = ?');

  return class SqliteAdapter {
    constructor(model) {
      this.model = model;
    }
    async upsert(id, payload, expiresIn) {
      const { grantId = null, uid = null, userCode = null } = payload;
      const expiresAt = expiresIn === undefined ? null : now() + expiresIn;
      await run(upsert, [this.model, id, JSON.stringify(payload), grantId, uid, userCode, expiresAt]);
    }
    find(id) {
      return read(find, [this.model, id, now()]);
    }
    findByUid(uid) {
      return read(findByUid, [this.model, uid]);
    }
    findByUserCode(userCode) {
      return read(findByUserCode, [this.model, userCode]);
    }
    async consume(id) {
      if ((await run(consume, [now(), this.model, id])) !== 1) {
        throw new errors.InvalidGrant('already used');
      }
    }
    async destroy(id) {
      await run(destroy, [this.model, id]);
    }
    async revokeByGrantId(grantId) {
      await run(revoke, [grantId]);
    }
  };
}

function now() {
  return Math.floor(Date.now() / 1000);
}

function run(statement, bindings) {
  return new Promise((resolve, reject) => {
    statement.run(bindings, function ran(error) {
      return error ? reject(failure(error)) : resolve(this.changes);
    });
  });
}

/** `all` and not `get`: a statement that was not read to its end holds up the next commit. */
function read(statement, bindings) {
  return new Promise((resolve, reject) => {
    statement.all(bindings, (error, rows) => {
      if (error) {
        return reject(failure(error));
      }
      const [row] = rows;
      return resolve(row && { ...JSON.parse(row.payload), ...(row.consumed_at === null ? {} : { consumed: row.consumed_at }) });
    });
  });
}

function failure(error) {
  return new Error(error.message, { cause: error });
}
