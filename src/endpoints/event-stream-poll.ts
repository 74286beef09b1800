import type { Client } from '../clients/client.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { InvalidRequest } from '../core/errors.ts';
import { refuseRepeats } from '../core/parameters.ts';
import type { EventStream, EventStreams } from '../signals/event-stream.ts';
import { STREAM_UPDATED } from '../signals/event-types.ts';
import { jsonMembers } from '../signals/json-members.ts';
import { readPollRequest } from '../signals/poll-request.ts';
import { POLL } from '../signals/receiver-scope.ts';
import { aboutRemoved } from '../signals/removed-subjects.ts';
import type { SecurityEventTokenIssuer } from '../signals/security-event-token.ts';
import { POLL_PATH } from '../signals/stream-document.ts';
import type { Subjects } from '../tokens/subjects.ts';
import { type ReceiverAccess, streamOfReceiver } from './receiver-access.ts';

/**
 * RFC 8936: a receiver fetches its events, and acknowledges those it has. One that is not acknowledged comes again, in the next answer already.
 * Every request is answered at once, as with `returnImmediately`: how long one without events may wait is "out of scope" of section 2.2, and here
 * it is no time, since each that waited would hold a connection and ask the database.
 */
export function eventStreamPollEndpoint(rooms: {
  readonly eventStreams: EventStreams;
  readonly receiverAccess: ReceiverAccess;
  readonly issueSecurityEventToken: SecurityEventTokenIssuer;
  readonly subjects: Subjects;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}): Endpoint {
  const { eventStreams, receiverAccess, issueSecurityEventToken, audit, clock } = rooms;

  return {
    path: POLL_PATH,
    methods: ['POST'],
    body: 'json',
    async handle(request) {
      refuseRepeats(request.query);
      const receiver = await receiverAccess(request, POLL_PATH, POLL);
      const { client } = receiver;
      const { acknowledged, errors, maxEvents } = readPollRequest(jsonMembers(request.json));
      const stream = await streamOfReceiver(eventStreams, receiver, request.query.get('stream_id'));
      if (stream.delivery.method !== 'poll') {
        throw new InvalidRequest('The events of this stream are pushed: there is nothing to poll.');
      }
      await eventStreams.acknowledge(stream.id, acknowledged);
      const refused = new Set(
        await eventStreams.acknowledge(
          stream.id,
          errors.map(({ id }) => id),
        ),
      );
      for (const { id, err, description } of errors.filter((error) => refused.has(error.id))) {
        audit.record('security_event_refused', { clientId: client.id, streamId: stream.id, eventId: id, err, description });
      }
      const { sets, moreAvailable } = await next(stream, client, maxEvents);
      const body = { sets, ...(moreAvailable ? { moreAvailable } : {}) };
      return { kind: 'json', status: 200, body, headers: receiver.headers };
    },
  };

  async function next(stream: EventStream, client: Client, most: number): Promise<Answer> {
    // SSF 1.0 section 8.1.2.1: nothing of a stream that is not enabled, but that it is not. One more than is told shows whether there are more.
    const waiting = await eventStreams.pending(stream.id, most + 1, stream.status === 'enabled' ? undefined : STREAM_UPDATED);
    const removed = await aboutRemoved(rooms, { streamId: stream.id, client }, waiting);
    await eventStreams.acknowledge(stream.id, [...removed]);
    const told = waiting.slice(0, most).filter(({ id }) => !removed.has(id));
    const now = clock.now();
    const sets = await Promise.all(told.map(async (event) => [event.id, await issueSecurityEventToken(event, client, now)] as const));
    return { sets: Object.fromEntries(sets), moreAvailable: waiting.length > most };
  }
}

interface Answer {
  /** By `jti`. */
  readonly sets: Readonly<Record<string, string>>;
  readonly moreAvailable: boolean;
}
