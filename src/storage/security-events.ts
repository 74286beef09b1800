import type { Knex } from 'knex';
import type { ClientMetadata } from '../clients/client-metadata.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { parseScope, type Scope } from '../core/scope.ts';
import type { Change } from '../signals/changes.ts';
import { sessionRevoked } from '../signals/changes.ts';
import type { EventStream } from '../signals/event-stream.ts';
import { STREAM_UPDATED } from '../signals/event-types.ts';
import { type NewSecurityEvent, SECURITY_EVENT_DELIVERY } from '../signals/security-event.ts';
import { insertDeliveries } from './deliveries.ts';
import { type EventStreamRow, eventRow, streamOf } from './event-stream-rows.ts';

/** A session that ended, and a client that has a grant of it. */
export interface EndedSession {
  readonly clientId: string;
  readonly userId: string;
  readonly sessionId: string;
}

/** Records the end of sessions for the streams of their clients, in the transaction of that end. */
export async function recordRevokedSessions(transaction: Knex.Transaction, ended: readonly EndedSession[], change: Change): Promise<void> {
  const streams = await lockedStreams(transaction, [...new Set(ended.map(({ clientId }) => clientId))]);
  const sessions = new Map(ended.map((session) => [`${session.clientId} ${session.sessionId}`, session]));
  const events = streams.flatMap((stream) =>
    [...sessions.values()]
      .filter(({ clientId }) => clientId === stream.clientId)
      .flatMap(({ userId, sessionId }) => sessionRevoked(stream, { userId, id: sessionId }, change)),
  );
  await insertSecurityEvents(transaction, streams, events);
}

/**
 * Records a change of a user for the streams of all clients that have to do with the user now: by a grant that is alive, or whose session is. In the
 * transaction of the change, and before sessions end by it.
 * @param eventsFor what a stream is told; `scope` is that of all these grants.
 */
export async function recordUserChange(
  transaction: Knex.Transaction,
  userId: string,
  now: EpochSeconds,
  eventsFor: (stream: EventStream, scope: Scope) => readonly NewSecurityEvent[],
): Promise<void> {
  const grants = await transaction('grants')
    .join('event_streams', 'event_streams.client_id', 'grants.client_id')
    .join('clients', 'clients.id', 'grants.client_id')
    .where({ 'grants.user_id': userId, 'grants.revoked_at': null })
    .whereRaw(CONCERNED, [now, now, now])
    .select<ConcernedGrantRow[]>('grants.client_id as client_id', 'grants.scope as scope', 'clients.metadata as metadata');
  const streams = await lockedStreams(transaction, [...new Set(grants.map(({ client_id }) => client_id))]);
  const events = streams.flatMap((stream) => {
    const scope = grants.filter(({ client_id }) => client_id === stream.clientId).flatMap(remainingScope);
    return eventsFor(stream, [...new Set(scope)]);
  });
  await insertSecurityEvents(transaction, streams, events);
}

interface ConcernedGrantRow {
  readonly client_id: string;
  readonly scope: string;
  readonly metadata: string;
}

/** A scope value that was taken from the client since then gives nothing any more. */
function remainingScope({ scope, metadata }: ConcernedGrantRow): Scope {
  const registered = parseScope((JSON.parse(metadata) as ClientMetadata).scope);
  return parseScope(scope).filter((value) => registered.includes(value));
}

const CONCERNED = `(grants.expires_at > ? OR EXISTS (
  SELECT 1 FROM sessions WHERE sessions.sid = grants.session_id AND sessions.idle_expires_at > ? AND sessions.expires_at > ?))`;

/** Puts events where the receivers of `streams` find them: those of an enabled push stream into the outbox too. */
export async function insertSecurityEvents(
  transaction: Knex.Transaction,
  streams: readonly EventStream[],
  events: readonly NewSecurityEvent[],
): Promise<void> {
  if (events.length === 0) {
    return;
  }
  await transaction.batchInsert('security_events', events.map(eventRow), ROWS_A_STATEMENT);
  const pushed = new Set(streams.filter(isPushed).map(({ id }) => id));
  // SSF 1.0 section 8.1.5: that a stream stops is told all the same.
  const byPush = new Set(streams.filter(({ delivery }) => delivery.method === 'push').map(({ id }) => id));
  await insertDeliveries(
    transaction,
    events
      .filter(({ streamId, type }) => (type === STREAM_UPDATED ? byPush : pushed).has(streamId))
      .map(({ id, clientId, streamId, createdAt, expiresAt }) => ({
        id,
        clientId,
        kind: SECURITY_EVENT_DELIVERY,
        payload: { stream_id: streamId },
        createdAt,
        expiresAt,
      })),
  );
}

const ROWS_A_STATEMENT = 100;

/** Whether what happens on a stream is sent at once. */
export function isPushed({ status, delivery }: Pick<EventStream, 'status' | 'delivery'>): boolean {
  return status === 'enabled' && delivery.method === 'push';
}

/**
 * The streams of clients, but those that drop their events. On PostgreSQL they stay as they are until the transaction ends: an event that finds its
 * stream paused is there when the pause ends, and is not forgotten. SQLite has one writer at a time.
 */
async function lockedStreams(transaction: Knex.Transaction, clientIds: readonly string[]): Promise<readonly EventStream[]> {
  if (clientIds.length === 0) {
    return [];
  }
  const query = transaction<EventStreamRow>('event_streams')
    .whereIn('client_id', [...clientIds])
    .whereNot('status', 'disabled')
    .orderBy('id');
  // SQLite knows no locks of rows.
  const rows: EventStreamRow[] = await (transaction.client.dialect === 'postgresql' ? query.forShare() : query);
  return rows.map(streamOf);
}
