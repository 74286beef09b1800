import type { RegistrationToken, RegistrationTokens } from '../clients/self-registration.ts';
import type { Database } from './database.ts';

/** Initial access tokens in the database. */
export function registrationTokensIn(database: Database): RegistrationTokens {
  return {
    async create(token) {
      await database.run((knex) => knex<TokenRow>('registration_tokens').insert(rowOf(token)));
    },
    async find(digest) {
      const [row] = await database.rows<TokenRow>('SELECT * FROM registration_tokens WHERE digest = ?', [digest]);
      return row && tokenOf(row);
    },
    async list() {
      return (await database.rows<TokenRow>('SELECT * FROM registration_tokens ORDER BY id', [])).map(tokenOf);
    },
    async delete(id) {
      return (await database.rows('DELETE FROM registration_tokens WHERE id = ? RETURNING id', [id])).length > 0;
    },
  };
}

interface TokenRow {
  readonly id: string;
  readonly digest: string;
  readonly allowance: string;
  readonly uses_left: number;
  readonly created_at: number;
  readonly expires_at: number;
}

function rowOf({ id, digest, allowance, usesLeft, createdAt, expiresAt }: RegistrationToken): TokenRow {
  return { id, digest, allowance: JSON.stringify(allowance), uses_left: usesLeft, created_at: createdAt, expires_at: expiresAt };
}

function tokenOf(row: TokenRow): RegistrationToken {
  return {
    id: row.id,
    digest: row.digest,
    allowance: JSON.parse(row.allowance),
    usesLeft: row.uses_left,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
