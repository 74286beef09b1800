import type { EventStream } from './event-stream.ts';
import { EVENTS_SUPPORTED, eventsDelivered } from './event-types.ts';

/** SSF 1.0 section 6.1.1. */
export const PUSH_METHOD = 'urn:ietf:rfc:8935';
/** SSF 1.0 section 6.1.2. */
export const POLL_METHOD = 'urn:ietf:rfc:8936';

/** Least time from one request for a verification event to the next. */
export const MIN_VERIFICATION_INTERVAL_SECONDS = 60;

/** SSF 1.0 section 8.1.1: a stream as its receiver is told of it. The `authorization_header` is told to nobody. */
export function streamDocument(
  { id, clientId, delivery, eventsRequested, description }: EventStream,
  issuer: string,
): Readonly<Record<string, unknown>> {
  return {
    stream_id: id,
    iss: issuer,
    aud: clientId,
    delivery:
      delivery.method === 'push'
        ? { method: PUSH_METHOD, endpoint_url: delivery.endpointUrl }
        : { method: POLL_METHOD, endpoint_url: pollUrl(issuer, id) },
    events_supported: EVENTS_SUPPORTED,
    ...(eventsRequested === undefined ? {} : { events_requested: eventsRequested }),
    events_delivered: eventsDelivered(eventsRequested),
    min_verification_interval: MIN_VERIFICATION_INTERVAL_SECONDS,
    ...(description === undefined ? {} : { description }),
  };
}

/** Section 6.1.2: an address of its own for every stream of a receiver. */
function pollUrl(issuer: string, id: string): string {
  return `${issuer}${POLL_PATH}?stream_id=${id}`;
}

/** Of the poll endpoint, below the issuer. */
export const POLL_PATH = '/ssf/poll';
