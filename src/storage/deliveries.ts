import type { Knex } from 'knex';
import type { Deliveries, Delivery, NewDelivery } from '../deliveries/delivery.ts';
import type { Database } from './database.ts';

/** The outbox in the database. */
export function deliveriesIn(database: Database): Deliveries {
  // On PostgreSQL two nodes that claim at once pass over each other's rows instead of waiting for them.
  const lock = database.kind === 'postgres' ? 'FOR UPDATE SKIP LOCKED' : '';
  const isForOthers = database.kind === 'postgres' ? 'client_id <> ALL (?::text[])' : 'client_id NOT IN (SELECT value FROM json_each(?))';
  const claim = `UPDATE deliveries SET attempts = attempts + 1, next_attempt_at = ?
    WHERE next_attempt_at <= ? AND id IN (
      SELECT id FROM deliveries WHERE next_attempt_at <= ? AND ${isForOthers} ORDER BY next_attempt_at, id LIMIT ? ${lock})
    RETURNING *`;

  return {
    async nextDueAt() {
      const [row] = await database.rows<{ due: number | null }>('SELECT min(next_attempt_at) AS due FROM deliveries', []);
      return row?.due ?? undefined;
    },
    async claim(most, now, leaseSeconds, except = []) {
      const others = database.kind === 'postgres' ? except : JSON.stringify(except);
      const rows = await database.rows<DeliveryRow>(claim, [now + leaseSeconds, now, now, others, most]);
      return rows.map(deliveryOf);
    },
    async remove(id) {
      await database.rows('DELETE FROM deliveries WHERE id = ?', [id]);
    },
    async postpone({ id, attempts }, at) {
      await database.rows('UPDATE deliveries SET next_attempt_at = ? WHERE id = ? AND attempts = ?', [at, id, attempts]);
    },
  };
}

/** Puts deliveries into the outbox, due at once, in the transaction of what they tell about. */
export async function insertDeliveries(transaction: Knex.Transaction, deliveries: readonly NewDelivery[]): Promise<void> {
  if (deliveries.length > 0) {
    await transaction.batchInsert('deliveries', deliveries.map(rowOf), ROWS_A_STATEMENT);
  }
}

const ROWS_A_STATEMENT = 100;

interface DeliveryRow {
  readonly id: string;
  readonly client_id: string;
  readonly kind: string;
  readonly payload: string;
  readonly attempts: number;
  readonly next_attempt_at: number;
  readonly created_at: number;
  readonly expires_at: number;
}

function rowOf({ id, clientId, kind, payload, createdAt, expiresAt }: NewDelivery): DeliveryRow {
  return {
    id,
    client_id: clientId,
    kind,
    payload: JSON.stringify(payload),
    attempts: 0,
    next_attempt_at: createdAt,
    created_at: createdAt,
    expires_at: expiresAt,
  };
}

function deliveryOf(row: DeliveryRow): Delivery {
  return {
    id: row.id,
    clientId: row.client_id,
    kind: row.kind,
    payload: JSON.parse(row.payload),
    attempts: row.attempts,
    createdAt: row.created_at,
    expiresAt: row.expires_at,
  };
}
