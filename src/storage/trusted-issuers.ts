import type { Knex } from 'knex';
import type { SubjectLink, TrustedIssuerRecord, TrustedIssuerStore } from '../trusted-issuers/trusted-issuer.ts';
import type { Database } from './database.ts';
import { moveRevision } from './revisions.ts';

/** The records of trusted issuers, and of their subjects' links to users, in the database. */
export function trustedIssuersIn(database: Database): TrustedIssuerStore {
  return {
    async find(identifier) {
      const [row] = await database.rows<IssuerRow>('SELECT * FROM trusted_issuers WHERE identifier = ?', [identifier]);
      return row && recordOf(row);
    },
    async list() {
      return (await database.rows<IssuerRow>('SELECT * FROM trusted_issuers ORDER BY identifier', [])).map(recordOf);
    },
    create: (record) =>
      database.transaction(async (transaction) => {
        const created = await transaction<IssuerRow>('trusted_issuers')
          .insert(rowOf(record))
          .onConflict('identifier')
          .ignore()
          .returning('identifier');
        return moved(transaction, created.length);
      }),
    replace: (record) =>
      database.transaction(async (transaction) => {
        const { identifier, version, created_at: _, ...changes } = rowOf(record);
        const replaced = await transaction<IssuerRow>('trusted_issuers')
          .where({ identifier, version })
          .update({ ...changes, version: version + 1 });
        return moved(transaction, replaced);
      }),
    delete: (identifier) =>
      database.transaction(async (transaction) => moved(transaction, await transaction('trusted_issuers').where({ identifier }).delete())),
    async link({ issuer, subject, userId }, now) {
      const linked = await database.rows(LINK, [subject, now, issuer, userId]);
      return linked.length === 1;
    },
    async unlink(issuer, subject) {
      return (await database.run((knex) => knex('linked_subjects').where({ issuer, subject }).delete())) === 1;
    },
    async linkedUser(issuer, subject) {
      const [row] = await database.rows<LinkRow>('SELECT user_id FROM linked_subjects WHERE issuer = ? AND subject = ?', [issuer, subject]);
      return row?.user_id;
    },
    async links(issuer, { after, limit }) {
      const rows = await database.run((knex) => {
        const query = knex<LinkRow>('linked_subjects').where({ issuer }).orderBy('subject').limit(limit).select<LinkRow[]>('*');
        return after === undefined ? query : query.where('subject', '>', after);
      });
      return rows.map(linkOf);
    },
  };
}

// Nothing is selected, and so nothing inserted, where issuer or user is not there.
const LINK = `INSERT INTO linked_subjects (issuer, subject, user_id, created_at)
  SELECT trusted_issuers.identifier, CAST(? AS text), users.id, CAST(? AS bigint) FROM trusted_issuers, users
  WHERE trusted_issuers.identifier = ? AND users.id = ?
  ON CONFLICT (issuer, subject) DO UPDATE SET user_id = excluded.user_id, created_at = excluded.created_at RETURNING subject`;

interface IssuerRow {
  readonly identifier: string;
  readonly metadata: string;
  readonly version: number;
  readonly created_at: number;
  readonly updated_at: number;
}

interface LinkRow {
  readonly issuer: string;
  readonly subject: string;
  readonly user_id: string;
}

function rowOf({ identifier, metadata, version, createdAt, updatedAt }: TrustedIssuerRecord): IssuerRow {
  return { identifier, metadata: JSON.stringify(metadata), version, created_at: createdAt, updated_at: updatedAt };
}

function recordOf({ identifier, metadata, version, created_at, updated_at }: IssuerRow): TrustedIssuerRecord {
  return { identifier, metadata: JSON.parse(metadata), version, createdAt: created_at, updatedAt: updated_at };
}

function linkOf({ issuer, subject, user_id }: LinkRow): SubjectLink {
  return { issuer, subject, userId: user_id };
}

/** Whether a row was changed, which all processes are told then. */
async function moved(transaction: Knex.Transaction, rows: number): Promise<boolean> {
  if (rows > 0) {
    await moveRevision(transaction, 'trusted_issuers');
  }
  return rows > 0;
}
