import type { RevokedAccessTokens } from '../tokens/revoked-access-tokens.ts';
import { batchInput } from './batch-input.ts';
import type { Database } from './database.ts';
import { coalesceWrites } from './write-coalescer.ts';

/** The access tokens that were revoked one by one, in the database. One to a database: it holds the queue of its questions. */
export function revokedAccessTokensIn(database: Database): RevokedAccessTokens {
  const input = batchInput(database.kind, [['jti', 'text']]);
  const statement = `SELECT revoked.jti FROM revoked_access_tokens AS revoked JOIN ${input.sql} ON revoked.jti = input.jti`;
  // A call of the driver costs more than the row, so questions travel together; the same may be asked twice in one batch.
  const questions = coalesceWrites<Question, boolean>({
    key: ({ place: own }) => String(own),
    async run(batch) {
      const asked = [...new Set(batch.map(({ jti }) => jti))].map((jti) => [jti]);
      const found = new Set((await database.rows<{ readonly jti: string }>(statement, input.bindings(asked))).map(({ jti }) => jti));
      return batch.map(({ jti }) => found.has(jti));
    },
    largestBatch: 256,
    longestQueue: 10_000,
    longestWaitMilliseconds: 5000,
  });
  let place = 0;
  database.beforeClose(() => questions.close());

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
    has: (jti) => questions.submit({ jti, place: place++ }),
  };
}

interface Question {
  readonly jti: string;
  /** Its number, so that none is like another. */
  readonly place: number;
}
