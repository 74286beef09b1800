import type { Endpoint } from '../core/endpoint.ts';
import { eventStreamPollEndpoint } from './event-stream-poll.ts';
import { eventStreamStatusEndpoint } from './event-stream-status.ts';
import { eventStreamSubjectEndpoints } from './event-stream-subjects.ts';
import { eventStreamVerificationEndpoint } from './event-stream-verification.ts';
import { eventStreamsEndpoint } from './event-streams.ts';
import { receiverAccess } from './receiver-access.ts';

/** What any of them is built from. */
export type SharedSignalsRooms = Parameters<typeof receiverAccess>[0] &
  Omit<Parameters<typeof eventStreamsEndpoint>[0], 'receiverAccess'> &
  Omit<Parameters<typeof eventStreamPollEndpoint>[0], 'receiverAccess'>;

/** The endpoints of SSF 1.0 section 8 and RFC 8936, all behind the same door. */
export function sharedSignalsEndpoints(rooms: SharedSignalsRooms): readonly Endpoint[] {
  const guarded = { ...rooms, receiverAccess: receiverAccess(rooms) };
  return [
    eventStreamsEndpoint(guarded),
    eventStreamStatusEndpoint(guarded),
    ...eventStreamSubjectEndpoints(guarded),
    eventStreamVerificationEndpoint(guarded),
    eventStreamPollEndpoint(guarded),
  ];
}
