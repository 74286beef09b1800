import type { EpochSeconds } from '../core/clock.ts';
import { newIdentifier } from '../core/identifiers.ts';
import type { EventStream, StreamStatus } from './event-stream.ts';
import { STREAM_UPDATED, VERIFICATION } from './event-types.ts';
import { EVENT_LIFETIME_SECONDS, type NewSecurityEvent } from './security-event.ts';

type Stream = Pick<EventStream, 'id' | 'clientId'>;

/** SSF 1.0 section 8.1.4.1. @param state what the receiver gave; undefined: nothing. */
export function verificationEvent(stream: Stream, state: string | undefined, now: EpochSeconds): NewSecurityEvent {
  return eventAbout(stream, VERIFICATION, state === undefined ? {} : { state }, now);
}

/** SSF 1.0 section 8.1.5: the operator, and not the receiver, changed the status. */
export function streamUpdatedEvent(stream: Stream, status: StreamStatus, reason: string | undefined, now: EpochSeconds): NewSecurityEvent {
  return eventAbout(stream, STREAM_UPDATED, { status, ...(reason === undefined ? {} : { reason }) }, now);
}

function eventAbout({ id, clientId }: Stream, type: string, event: Readonly<Record<string, unknown>>, now: EpochSeconds): NewSecurityEvent {
  return {
    id: newIdentifier(),
    streamId: id,
    clientId,
    type,
    subject: { kind: 'stream' },
    txn: newIdentifier(),
    event,
    createdAt: now,
    expiresAt: now + EVENT_LIFETIME_SECONDS,
  };
}
