import type { SecondFactors, TotpFactor } from '../accounts/second-factor.ts';
import { changeOf, credentialChanged } from '../signals/changes.ts';
import { type Database, rowsOf } from './database.ts';
import { recordUserChange } from './security-events.ts';
import { endSessions } from './session-end.ts';

/** The records of second factors in the database. */
export function secondFactorsIn(database: Database): SecondFactors {
  return {
    async find(userId) {
      const [row] = await database.rows<FactorRow>('SELECT * FROM totp_factors WHERE user_id = ?', [userId]);
      return row && factorOf(row);
    },
    enrol: (factor, recoveryDigests, by = 'user') =>
      database.transaction(async (transaction) => {
        const answer: unknown = await transaction.raw(
          `INSERT INTO totp_factors (user_id, sealed_secret, last_step, created_at) VALUES (?, ?, ?, ?)
           ON CONFLICT (user_id) DO NOTHING RETURNING user_id`,
          [factor.userId, factor.sealedSecret, factor.lastStep, factor.createdAt],
        );
        if (rowsOf(answer).length === 0) {
          return false;
        }
        await transaction('recovery_codes').insert(recoveryDigests.map((digest) => ({ user_id: factor.userId, digest })));
        const { userId, createdAt } = factor;
        const change = changeOf(by === 'user' ? 'authenticator_enrolled_by_user' : 'authenticator_enrolled_by_operator', createdAt);
        await recordUserChange(transaction, userId, createdAt, (stream) =>
          credentialChanged(stream, userId, { credentialType: 'app', changeType: 'create' }, change),
        );
        return true;
      }),
    async useStep({ userId, sealedSecret }, step) {
      // By the secret too: a code of a factor that was replaced meanwhile uses up nothing of the new one.
      const used = await database.rows(
        'UPDATE totp_factors SET last_step = ? WHERE user_id = ? AND sealed_secret = ? AND last_step < ? RETURNING user_id',
        [step, userId, sealedSecret, step],
      );
      return used.length === 1;
    },
    async useRecoveryCode(userId, recoveryDigest) {
      const used = await database.rows('DELETE FROM recovery_codes WHERE user_id = ? AND digest = ? RETURNING user_id', [
        userId,
        recoveryDigest,
      ]);
      return used.length === 1;
    },
    async countRecoveryCodes(userId) {
      const [row] = await database.rows<{ left: number | string }>('SELECT count(*) AS "left" FROM recovery_codes WHERE user_id = ?', [
        userId,
      ]);
      return Number(row?.left ?? 0);
    },
    remove: (userId, now) =>
      database.transaction(async (transaction) => {
        const removed = await transaction('totp_factors').where({ user_id: userId }).delete();
        if (removed === 0) {
          return false;
        }
        await transaction('recovery_codes').where({ user_id: userId }).delete();
        const change = changeOf('authenticator_removed', now);
        await recordUserChange(transaction, userId, now, (stream) =>
          credentialChanged(stream, userId, { credentialType: 'app', changeType: 'delete' }, change),
        );
        await endSessions(transaction, { user_id: userId }, change);
        return true;
      }),
  };
}

interface FactorRow {
  readonly user_id: string;
  readonly sealed_secret: string;
  readonly last_step: number;
  readonly created_at: number;
}

function factorOf(row: FactorRow): TotpFactor {
  return { userId: row.user_id, sealedSecret: row.sealed_secret, lastStep: row.last_step, createdAt: row.created_at };
}
