import type { RevokedAccessTokens } from '../tokens/revoked-access-tokens.ts';
import type { Database } from './database.ts';

/** The access tokens that were revoked one by one, in the database. */
export function revokedAccessTokensIn(database: Database): RevokedAccessTokens {
  return {
    async add(jti, expiresAt, status) {
      await database.transaction(async (transaction) => {
        const added = await transaction('revoked_access_tokens')
          .insert({ jti, expires_at: expiresAt })
          .onConflict('jti')
          .ignore()
          .returning('jti');
        if (added.length > 0 && status !== undefined) {
          await transaction('status_changes').insert({ first: status.entry, count: 1, changed_at: status.now });
        }
      });
    },
    async has(jti) {
      return (await database.rows('SELECT jti FROM revoked_access_tokens WHERE jti = ?', [jti])).length > 0;
    },
  };
}
