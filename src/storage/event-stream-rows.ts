import type { EventStream, StreamSettings, StreamStatus } from '../signals/event-stream.ts';
import type { EventSubject, NewSecurityEvent, SecurityEvent } from '../signals/security-event.ts';

/** A row of `event_streams`. */
export interface EventStreamRow {
  readonly id: string;
  readonly client_id: string;
  readonly endpoint_url: string | null;
  readonly sealed_authorization: string | null;
  readonly events_requested: string | null;
  readonly description: string | null;
  readonly status: StreamStatus;
  readonly status_reason: string | null;
  readonly version: number;
  readonly created_at: number;
}

/** A row of `security_events`. */
export interface SecurityEventRow {
  readonly id: string;
  readonly stream_id: string;
  readonly type: string;
  /** JSON of `EventPayload`. */
  readonly payload: string;
  readonly created_at: number;
  readonly expires_at: number;
}

type EventPayload = Pick<SecurityEvent, 'subject' | 'txn' | 'event'>;

/** The columns that a receiver decides about. */
export function settingsRow({ delivery, eventsRequested, description }: StreamSettings): Partial<EventStreamRow> {
  const isPush = delivery.method === 'push';
  return {
    endpoint_url: isPush ? delivery.endpointUrl : null,
    sealed_authorization: isPush ? (delivery.sealedAuthorization ?? null) : null,
    events_requested: eventsRequested === undefined ? null : JSON.stringify(eventsRequested),
    description: description ?? null,
  };
}

export function streamOf(row: EventStreamRow): EventStream {
  return {
    id: row.id,
    clientId: row.client_id,
    delivery:
      row.endpoint_url === null
        ? { method: 'poll' }
        : { method: 'push', endpointUrl: row.endpoint_url, sealedAuthorization: row.sealed_authorization ?? undefined },
    eventsRequested: row.events_requested === null ? undefined : (JSON.parse(row.events_requested) as readonly string[]),
    description: row.description ?? undefined,
    status: row.status,
    statusReason: row.status_reason ?? undefined,
    version: row.version,
    createdAt: row.created_at,
  };
}

export function eventRow({ id, streamId, type, subject, txn, event, createdAt, expiresAt }: NewSecurityEvent): SecurityEventRow {
  const payload: EventPayload = { subject, txn, event };
  return { id, stream_id: streamId, type, payload: JSON.stringify(payload), created_at: createdAt, expires_at: expiresAt };
}

export function eventOf(row: SecurityEventRow): SecurityEvent {
  const { subject, txn, event } = JSON.parse(row.payload) as { subject: EventSubject; txn: string; event: Record<string, unknown> };
  return { id: row.id, streamId: row.stream_id, type: row.type, subject, txn, event, createdAt: row.created_at, expiresAt: row.expires_at };
}
