import { parametersOf } from '../core/parameters.ts';
import type { DeferredKind, DeferredRequest, DeferredRequests, MostOfUser, PollOutcome } from '../deferred-requests/deferred-request.ts';
import { SLOW_DOWN_SECONDS } from '../deferred-requests/deferred-request.ts';
import { pingOf } from '../deferred-requests/ping-delivery.ts';
import { batchInput } from './batch-input.ts';
import { type Database, rowsOf } from './database.ts';
import { insertDeliveries } from './deliveries.ts';
import { reportGoneParties } from './failures.ts';

interface DeferredRequestRow {
  readonly id: string;
  readonly kind: DeferredKind;
  readonly client_id: string;
  readonly user_id: string | null;
  readonly parameters: string;
  readonly is_signed: number;
  readonly remote_address: string;
  readonly created_at: number;
  readonly expires_at: number;
}

interface DecidedRow {
  readonly client_id: string;
  readonly expires_at: number;
  readonly sealed_notification: string | null;
}

interface PolledRow {
  readonly kind: DeferredKind;
  readonly client_id: string;
  readonly expires_at: number;
  readonly decision: 'allowed' | 'denied' | null;
  readonly grant_id: string | null;
}

const COLUMNS = 'id, kind, client_id, user_id, parameters, is_signed, remote_address, created_at, expires_at';

const NEW_COLUMNS = [
  ['id', 'text'],
  ['kind', 'text'],
  ['client_id', 'text'],
  ['user_code', 'text'],
  ['user_id', 'text'],
  ['parameters', 'text'],
  ['is_signed', 'integer'],
  ['sealed_notification', 'text'],
  ['remote_address', 'text'],
  ['created_at', 'bigint'],
  ['expires_at', 'bigint'],
  ['interval_seconds', 'integer'],
] as const;

const MOST_LOOKS = 3;
const UNBOUNDED: MostOfUser = { ofClient: Number.MAX_SAFE_INTEGER, ofAll: Number.MAX_SAFE_INTEGER };
const OPEN_OF_USER = `SELECT count(*) FROM deferred_requests AS kept
             WHERE kept.user_id = input.user_id AND kept.decision IS NULL AND kept.expires_at > ?`;

/** Deferred requests, in the database. */
export function deferredRequestsIn(database: Database): DeferredRequests {
  const input = batchInput(database.kind, NEW_COLUMNS);
  const names = NEW_COLUMNS.map(([name]) => name).join(', ');

  return {
    async create(request, most, now, mostOfUser = UNBOUNDED) {
      const { id, kind, clientId, userCode, userId, parameters, remoteAddress, createdAt, expiresAt, intervalSeconds } = request;
      const row = [
        id,
        kind,
        clientId,
        userCode ?? null,
        userId ?? null,
        JSON.stringify(parameters.entries),
        request.isSigned === true ? 1 : 0,
        request.sealedNotification ?? null,
        remoteAddress,
        createdAt,
        expiresAt,
        intervalSeconds,
      ];
      // The first poll is due at once.
      const kept = await reportGoneParties(() =>
        database.rows(
          `INSERT INTO deferred_requests (${names}, next_poll_at)
           SELECT ${names}, created_at FROM ${input.sql}
           WHERE (SELECT count(*) FROM deferred_requests AS kept WHERE kept.client_id = input.client_id AND kept.expires_at > ?) < ?
             AND (input.user_id IS NULL OR ((${OPEN_OF_USER}) < ? AND (${OPEN_OF_USER} AND kept.client_id = input.client_id) < ?))
           ON CONFLICT (user_code) DO NOTHING RETURNING id`,
          [...input.bindings([row]), now, most, now, mostOfUser.ofAll, now, mostOfUser.ofClient],
        ),
      );
      if (kept.length > 0) {
        return 'created';
      }
      // Refused, and decided: this only tells why.
      const same = await database.rows('SELECT id FROM deferred_requests WHERE user_code = ?', [userCode ?? null]);
      return same.length > 0 ? 'taken' : 'too_many';
    },
    async enter(userCode, most, now) {
      const [row] = await database.rows<DeferredRequestRow>(
        `UPDATE deferred_requests SET entries = entries + 1
         WHERE user_code = ? AND decision IS NULL AND expires_at > ? AND entries < ? RETURNING ${COLUMNS}`,
        [userCode, now, most],
      );
      return row && requestOf(row);
    },
    async findOpen(id, now) {
      const [row] = await database.rows<DeferredRequestRow>(
        `SELECT ${COLUMNS} FROM deferred_requests WHERE id = ? AND decision IS NULL AND expires_at > ?`,
        [id, now],
      );
      return row && requestOf(row);
    },
    async openFor(userId, now) {
      const rows = await database.rows<DeferredRequestRow>(
        `SELECT ${COLUMNS} FROM deferred_requests WHERE user_id = ? AND decision IS NULL AND expires_at > ? ORDER BY created_at, id`,
        [userId, now],
      );
      return rows.map(requestOf);
    },
    async findNotification(id) {
      const [row] = await database.rows<{ readonly sealed_notification: string | null }>(
        'SELECT sealed_notification FROM deferred_requests WHERE id = ?',
        [id],
      );
      return row?.sealed_notification ?? undefined;
    },
    decide: (id, decision, now) =>
      database.transaction(async (transaction) => {
        const grantId = decision.kind === 'allowed' ? decision.grantId : null;
        const answer: unknown = await transaction.raw(
          `UPDATE deferred_requests SET decision = ?, decided_at = ?, grant_id = ?, user_id = ?, user_code = NULL
           WHERE id = ? AND decision IS NULL AND expires_at > ? AND (user_id IS NULL OR user_id = ?)
           RETURNING client_id, expires_at, sealed_notification`,
          [decision.kind, now, grantId, decision.userId, id, now, decision.userId],
        );
        const [decided] = rowsOf<DecidedRow>(answer);
        if (decided !== undefined && decided.sealed_notification !== null) {
          const { client_id: clientId, expires_at: expiresAt } = decided;
          await insertDeliveries(transaction, [pingOf(id, { clientId, expiresAt }, now)]);
        }
        return decided !== undefined;
      }),
    async poll(id, by, now) {
      for (let look = 1; ; look++) {
        const pending = await countPoll(id, by, now);
        if (pending !== undefined) {
          return pending;
        }
        const [row] = await database.rows<PolledRow>(
          'SELECT kind, client_id, expires_at, decision, grant_id FROM deferred_requests WHERE id = ?',
          [id],
        );
        const outcome = outcomeOf(row, by, now);
        // Open again: expired by the clock of the moment before, and a clock that was put back.
        if (outcome !== undefined || look === MOST_LOOKS) {
          return outcome ?? { kind: 'expired' };
        }
      }
    },
  };

  async function countPoll(
    id: string,
    { kind, clientId }: { readonly kind: DeferredKind; readonly clientId: string },
    now: number,
  ): Promise<PollOutcome | undefined> {
    const wait = `interval_seconds + CASE WHEN next_poll_at > ? THEN ${SLOW_DOWN_SECONDS} ELSE 0 END`;
    const [row] = await database.rows<{ readonly interval_seconds: number; readonly polled_too_soon: number }>(
      `UPDATE deferred_requests SET interval_seconds = ${wait}, next_poll_at = CAST(? AS bigint) + ${wait},
         polled_too_soon = CASE WHEN next_poll_at > ? THEN 1 ELSE 0 END
       WHERE id = ? AND kind = ? AND client_id = ? AND decision IS NULL AND expires_at > ?
       RETURNING interval_seconds, polled_too_soon`,
      [now, now, now, now, id, kind, clientId, now],
    );
    return row && { kind: 'pending', isTooSoon: row.polled_too_soon === 1, intervalSeconds: row.interval_seconds };
  }
}

/** @returns undefined while it is open. */
function outcomeOf(
  row: PolledRow | undefined,
  by: { readonly kind: DeferredKind; readonly clientId: string },
  now: number,
): PollOutcome | undefined {
  if (row === undefined) {
    return { kind: 'expired' };
  }
  if (row.client_id !== by.clientId || row.kind !== by.kind) {
    return { kind: 'foreign' };
  }
  if (row.decision === 'allowed' && row.grant_id !== null) {
    // When that ends by itself is the grant's to say: it may have been used in the last second.
    return { kind: 'allowed', grantId: row.grant_id };
  }
  if (now >= row.expires_at) {
    return { kind: 'expired' };
  }
  return row.decision === 'denied' ? { kind: 'denied' } : undefined;
}

function requestOf(row: DeferredRequestRow): DeferredRequest {
  return {
    id: row.id,
    kind: row.kind,
    clientId: row.client_id,
    userId: row.user_id ?? undefined,
    parameters: parametersOf(JSON.parse(row.parameters) as [string, string][]),
    remoteAddress: row.remote_address,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    ...(row.is_signed === 1 ? { isSigned: true } : {}),
  };
}
