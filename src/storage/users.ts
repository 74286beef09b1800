import type { Knex } from 'knex';
import type { User, Users } from '../accounts/user.ts';
import type { Database } from './database.ts';

/** The records of users in the database. */
export function usersIn(database: Database): Users {
  async function findBy(where: Partial<UserRow>): Promise<User | undefined> {
    const [row] = await database.run((knex) => knex<UserRow>('users').where(where).limit(1).select<UserRow[]>('*'));
    return row && userOf(row);
  }

  return {
    find: (id) => findBy({ id }),
    findByUsername: (canonicalUsername) => findBy({ canonical_username: canonicalUsername }),
    async list({ after, limit }) {
      const rows = await database.run((knex) => {
        const query = knex<UserRow>('users').orderBy('canonical_username').limit(limit).select<UserRow[]>('*');
        return after === undefined ? query : query.where('canonical_username', '>', after);
      });
      return rows.map(userOf);
    },
    async create(user, canonicalUsername) {
      const created = await database.run((knex) =>
        knex<UserRow>('users').insert(rowOf(user, canonicalUsername)).onConflict('canonical_username').ignore().returning('id'),
      );
      return created.length === 1;
    },
    setPassword: (id, passwordHash, now) =>
      database.transaction(async (transaction) => {
        const changed = await update(transaction, id, { password_hash: passwordHash, updated_at: now });
        await endSessions(transaction, id);
        return changed;
      }),
    setAccessTokenClaims: (id, claims, now) =>
      database.run((knex) => update(knex, id, { access_token_claims: JSON.stringify(claims), updated_at: now })),
    disable: (id, now) =>
      database.transaction(async (transaction) => {
        const known = await update(transaction, id, {
          // Since when stays true if it is done twice.
          disabled_at: transaction.raw('coalesce(disabled_at, ?)', [now]),
          updated_at: now,
        });
        await endSessions(transaction, id);
        await transaction('grants')
          .where({ user_id: id, revoked_at: null })
          .update({ revoked_at: now, revocation_reason: 'user_disabled' });
        return known;
      }),
    enable: (id, now) => database.run((knex) => update(knex, id, { disabled_at: null, updated_at: now })),
  };
}

interface UserRow {
  readonly id: string;
  readonly username: string;
  readonly canonical_username: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly password_hash: string;
  readonly disabled_at: number | null;
  readonly access_token_claims: string;
  readonly created_at: number;
  readonly updated_at: number;
}

function rowOf(user: User, canonicalUsername: string): UserRow {
  return {
    id: user.id,
    username: user.username,
    canonical_username: canonicalUsername,
    email: user.email ?? null,
    name: user.name ?? null,
    password_hash: user.passwordHash,
    disabled_at: user.disabledAt ?? null,
    access_token_claims: JSON.stringify(user.accessTokenClaims),
    created_at: user.createdAt,
    updated_at: user.updatedAt,
  };
}

function userOf(row: UserRow): User {
  return {
    id: row.id,
    username: row.username,
    email: row.email ?? undefined,
    name: row.name ?? undefined,
    passwordHash: row.password_hash,
    disabledAt: row.disabled_at ?? undefined,
    accessTokenClaims: JSON.parse(row.access_token_claims),
    createdAt: row.created_at,
    updatedAt: row.updated_at,
  };
}

async function update(knex: Knex, id: string, changes: Readonly<Record<string, string | number | null | Knex.Raw>>): Promise<boolean> {
  return (await knex('users').where({ id }).update(changes)) === 1;
}

async function endSessions(transaction: Knex.Transaction, userId: string): Promise<void> {
  await transaction('sessions').where({ user_id: userId }).delete();
}
