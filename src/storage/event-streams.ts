import type { Knex } from 'knex';
import type { EpochSeconds } from '../core/clock.ts';
import type { DroppedEvents, EventStream, EventStreams } from '../signals/event-stream.ts';
import { SECURITY_EVENT_DELIVERY } from '../signals/security-event.ts';
import type { Database } from './database.ts';
import { rowsOf } from './database.ts';
import { type EventStreamRow, eventOf, type SecurityEventRow, settingsRow, streamOf } from './event-stream-rows.ts';
import { insertSecurityEvents, isPushed } from './security-events.ts';

/** The records of streams and of their events in the database. */
export function eventStreamsIn(database: Database): EventStreams {
  async function streamsWhere(where: Partial<EventStreamRow>): Promise<readonly EventStream[]> {
    const rows = await database.run((knex) => knex<EventStreamRow>(STREAMS).where(where).orderBy('id').select<EventStreamRow[]>('*'));
    return rows.map(streamOf);
  }

  return {
    create: (stream, most) =>
      database.transaction(async (transaction) => {
        // Whoever else makes a stream of this client waits here, so that the count stays true.
        await transaction('clients').where({ id: stream.clientId }).update({ id: stream.clientId });
        if ((await countOf(transaction, STREAMS, { client_id: stream.clientId })) >= most) {
          return false;
        }
        const { id, clientId, status, version, createdAt } = stream;
        const row = { id, client_id: clientId, ...settingsRow(stream), status, version, created_at: createdAt };
        await transaction(STREAMS).insert(row);
        return true;
      }),
    async find(clientId, id) {
      const [stream] = await streamsWhere({ id, client_id: clientId });
      return stream;
    },
    list: (clientId) => streamsWhere({ client_id: clientId }),
    listAll: () => streamsWhere({}),
    change: ({ id, clientId, version }, settings) =>
      database.transaction(async (transaction) => {
        const [row] = await transaction<EventStreamRow>(STREAMS)
          .where({ id, client_id: clientId, version })
          .update({ ...settingsRow(settings), version: version + 1 })
          .returning<EventStreamRow[]>('*');
        if (row === undefined) {
          return false;
        }
        await routeWaiting(transaction, streamOf(row));
        return true;
      }),
    setStatus: ({ id, clientId }, { status, reason }, told) =>
      database.transaction(async (transaction) => {
        const [row] = await transaction<EventStreamRow>(STREAMS)
          .where({ id, client_id: clientId })
          .update({ status, status_reason: reason ?? null })
          .returning<EventStreamRow[]>('*');
        if (row === undefined) {
          return false;
        }
        const stream = streamOf(row);
        if (status === 'disabled') {
          await transaction(EVENTS).where({ stream_id: id }).delete();
        }
        await routeWaiting(transaction, stream);
        await insertSecurityEvents(transaction, [stream], told === undefined ? [] : [told]);
        return true;
      }),
    async delete(clientId, id) {
      return (await database.run((knex) => knex(STREAMS).where({ id, client_id: clientId }).delete())) === 1;
    },
    removeSubject: (streamId, subject, most) =>
      database.transaction(async (transaction) => {
        const added: unknown = await transaction.raw(
          `INSERT INTO ${REMOVED} (stream_id, subject) SELECT ?, ? WHERE (SELECT count(*) FROM ${REMOVED} WHERE stream_id = ?) < ?
           ON CONFLICT (stream_id, subject) DO NOTHING RETURNING subject`,
          [streamId, subject, streamId, most],
        );
        return rowsOf(added).length > 0 || (await countOf(transaction, REMOVED, { stream_id: streamId, subject })) > 0;
      }),
    async addSubject(streamId, subject) {
      await database.run((knex) => knex(REMOVED).where({ stream_id: streamId, subject }).delete());
    },
    async removedAmong(streamId, subjects) {
      const rows = await database.run((knex) =>
        knex(REMOVED)
          .where({ stream_id: streamId })
          .whereIn('subject', [...subjects])
          .select<{ subject: string }[]>('subject'),
      );
      return new Set(rows.map(({ subject }) => subject));
    },
    requestVerification: (event, now, notSince) =>
      database.transaction(async (transaction) => {
        const [row] = await transaction<EventStreamRow & { verification_requested_at: number | null }>(STREAMS)
          .where({ id: event.streamId, client_id: event.clientId })
          .whereNot('status', 'disabled')
          .whereRaw('coalesce(verification_requested_at, ?) <= ?', [notSince, notSince])
          .update({ verification_requested_at: now })
          .returning<EventStreamRow[]>('*');
        if (row === undefined) {
          return false;
        }
        await insertSecurityEvents(transaction, [streamOf(row)], [event]);
        return true;
      }),
    async findEvent(id) {
      const [row] = await database.rows<SecurityEventRow>(`SELECT * FROM ${EVENTS} WHERE id = ?`, [id]);
      return row && eventOf(row);
    },
    async pending(streamId, most, type) {
      const rows = await database.run((knex) => {
        const query = knex<SecurityEventRow>(EVENTS)
          .where({ stream_id: streamId })
          .orderBy('id')
          .limit(most)
          .select<SecurityEventRow[]>('*');
        return type === undefined ? query : query.where({ type });
      });
      return rows.map(eventOf);
    },
    async acknowledge(streamId, ids) {
      if (ids.length === 0) {
        return [];
      }
      const marks = ids.map(() => '?').join(', ');
      const statement = `DELETE FROM ${EVENTS} WHERE stream_id = ? AND id IN (${marks}) RETURNING id`;
      const rows = await database.rows<{ id: string }>(statement, [streamId, ...ids]);
      return rows.map(({ id }) => id);
    },
    dropExcess: async (now, most) => [...(await dropExpired(database, now)), ...(await dropOldest(database, most))],
  };
}

const STREAMS = 'event_streams';
const REMOVED = 'event_stream_removed_subjects';
const EVENTS = 'security_events';

async function countOf(transaction: Knex.Transaction, table: string, where: Readonly<Record<string, string>>): Promise<number> {
  const [row] = await transaction(table).where(where).count<{ count: number | string }[]>('* as count');
  return Number(row?.count ?? 0);
}

/**
 * Makes the outbox hold what waits on a stream that is pushed now, and nothing of one that is not. What is in a worker's hands at this moment keeps
 * its identifier: its end removes the event, and a failure finds its row gone, or new and due.
 */
async function routeWaiting(transaction: Knex.Transaction, stream: EventStream): Promise<void> {
  if (isPushed(stream)) {
    await transaction.raw(
      `INSERT INTO deliveries (id, client_id, kind, payload, attempts, next_attempt_at, created_at, expires_at)
       SELECT id, ?, ?, ?, 0, created_at, created_at, expires_at FROM ${EVENTS} WHERE stream_id = ? ON CONFLICT (id) DO NOTHING`,
      [stream.clientId, SECURITY_EVENT_DELIVERY, JSON.stringify({ stream_id: stream.id }), stream.id],
    );
  } else {
    await transaction.raw(`DELETE FROM deliveries WHERE id IN (SELECT id FROM ${EVENTS} WHERE stream_id = ?)`, [stream.id]);
  }
}

// A run does a bounded piece of work; the next one goes on.
const ROWS_A_RUN = 1000;

async function dropExpired(database: Database, now: EpochSeconds): Promise<readonly DroppedEvents[]> {
  const rows = await database.rows<{ stream_id: string }>(
    `DELETE FROM ${EVENTS} WHERE id IN (SELECT id FROM ${EVENTS} WHERE expires_at < ? ORDER BY expires_at LIMIT ?) RETURNING stream_id`,
    [now, ROWS_A_RUN],
  );
  const counts = new Map<string, number>();
  for (const { stream_id: streamId } of rows) {
    counts.set(streamId, (counts.get(streamId) ?? 0) + 1);
  }
  return Promise.all([...counts].map(([streamId, count]) => dropped(database, streamId, count, 'too old')));
}

async function dropOldest(database: Database, most: number): Promise<readonly DroppedEvents[]> {
  const crowded = await database.rows<{ stream_id: string; waiting: number | string }>(
    `SELECT stream_id, count(*) AS waiting FROM ${EVENTS} GROUP BY stream_id HAVING count(*) > ?`,
    [most],
  );
  const outcomes: DroppedEvents[] = [];
  for (const { stream_id: streamId, waiting } of crowded) {
    const deleted = await database.rows(
      `DELETE FROM ${EVENTS} WHERE id IN (SELECT id FROM ${EVENTS} WHERE stream_id = ? ORDER BY id LIMIT ?) RETURNING id`,
      [streamId, Math.min(Number(waiting) - most, ROWS_A_RUN)],
    );
    if (deleted.length > 0) {
      outcomes.push(await dropped(database, streamId, deleted.length, 'too many'));
    }
  }
  return outcomes;
}

async function dropped(database: Database, streamId: string, count: number, reason: DroppedEvents['reason']): Promise<DroppedEvents> {
  const [row] = await database.rows<{ client_id: string }>(`SELECT client_id FROM ${STREAMS} WHERE id = ?`, [streamId]);
  return { streamId, clientId: row?.client_id ?? '', count, reason };
}
