import type { Knex } from 'knex';
import type { User, Users } from '../accounts/user.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { RevocationReason } from '../grants/grant.ts';
import { type Change, changeOf, credentialChanged, tokenClaimsChanged, tokenClaimsOf } from '../signals/changes.ts';
import type { Database } from './database.ts';
import { recordUserChange } from './security-events.ts';
import { endSessions } from './session-end.ts';

/** The records of users in the database. */
export function usersIn(database: Database): Users {
  async function findBy(where: Partial<UserRow>): Promise<User | undefined> {
    const [row] = await database.run((knex) => knex<UserRow>('users').where(where).limit(1).select<UserRow[]>('*'));
    return row && userOf(row);
  }

  /** Puts part of a user in the place of what it was, and tells of the claims that this changes. */
  function setClaims(id: string, part: Partial<Pick<User, 'profile' | 'accessTokenClaims'>>, change: Change): Promise<boolean> {
    return database.transaction(async (transaction) => {
      // A write that changes no claim yet: from here on nobody else changes the user, and what is returned is what was.
      const [row] = await transaction<UserRow>('users').where({ id }).update({ updated_at: change.at }).returning<UserRow[]>('*');
      if (row === undefined) {
        return false;
      }
      const before = userOf(row);
      const after = { ...before, ...part };
      await update(transaction, id, {
        profile: JSON.stringify(after.profile),
        access_token_claims: JSON.stringify(after.accessTokenClaims),
      });
      const claims = { before: tokenClaimsOf(before), after: tokenClaimsOf(after) };
      await recordUserChange(transaction, id, change.at, (stream, scope) =>
        tokenClaimsChanged(stream, { userId: id, scope, ...claims }, change),
      );
      return true;
    });
  }

  return {
    find: (id) => findBy({ id }),
    findByUsername: (canonicalUsername) => findBy({ canonical_username: canonicalUsername }),
    async findByEmail(email) {
      const [one, other] = await database.run((knex) => knex<UserRow>('users').where({ email }).limit(2).select<UserRow[]>('*'));
      return one !== undefined && other === undefined ? userOf(one) : undefined;
    },
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
        const change = changeOf('password_set', now);
        await recordUserChange(transaction, id, now, (stream) =>
          credentialChanged(stream, id, { credentialType: 'password', changeType: 'update' }, change),
        );
        await endSessions(transaction, { user_id: id }, change);
        return changed;
      }),
    async replacePasswordHash(id, from, to) {
      const changed = await database.run((knex) => knex<UserRow>('users').where({ id, password_hash: from }).update({ password_hash: to }));
      return changed === 1;
    },
    setProfile: (id, profile, now) => setClaims(id, { profile }, changeOf('profile_set', now)),
    setAccessTokenClaims: (id, accessTokenClaims, now) => setClaims(id, { accessTokenClaims }, changeOf('claims_set', now)),
    disable: (id, now) =>
      database.transaction(async (transaction) => {
        const known = await update(transaction, id, {
          // Since when stays true if it is done twice.
          disabled_at: transaction.raw('coalesce(disabled_at, ?)', [now]),
          updated_at: now,
        });
        // The grants first: they all end for this reason, and not some of them because of the logout.
        await revokeGrants(transaction, id, 'user_disabled', now);
        await endSessions(transaction, { user_id: id }, changeOf('user_disabled', now));
        // Once more: until their session ended, grants could still be made.
        await revokeGrants(transaction, id, 'user_disabled', now);
        return known;
      }),
    signOut: (id, { grants }, now) =>
      database.transaction(async (transaction) => {
        // Before, so that they end for this reason, and after, for those that were made until their session ended.
        const before = grants ? await revokeGrants(transaction, id, 'operator', now) : 0;
        const sessions = await endSessions(transaction, { user_id: id }, changeOf('signed_out_by_operator', now));
        const after = grants ? await revokeGrants(transaction, id, 'operator', now) : 0;
        return { sessions, grants: before + after };
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
  readonly profile: string;
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
    profile: JSON.stringify(user.profile),
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
    profile: JSON.parse(row.profile),
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

function revokeGrants(transaction: Knex.Transaction, userId: string, reason: RevocationReason, now: EpochSeconds): Promise<number> {
  return transaction('grants').where({ user_id: userId, revoked_at: null }).update({ revoked_at: now, revocation_reason: reason });
}
