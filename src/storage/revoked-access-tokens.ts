import type { RevokedAccessTokens } from '../tokens/revoked-access-tokens.ts';
import type { Database } from './database.ts';

/** The access tokens that were revoked one by one, in the database. */
export function revokedAccessTokensIn(database: Database): RevokedAccessTokens {
  return {
    async add(jti, expiresAt) {
      await database.rows('INSERT INTO revoked_access_tokens (jti, expires_at) VALUES (?, ?) ON CONFLICT (jti) DO NOTHING', [
        jti,
        expiresAt,
      ]);
    },
    async has(jti) {
      return (await database.rows('SELECT jti FROM revoked_access_tokens WHERE jti = ?', [jti])).length > 0;
    },
  };
}
