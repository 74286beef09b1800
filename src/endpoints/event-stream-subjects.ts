import type { Endpoint } from '../core/endpoint.ts';
import { InvalidRequest } from '../core/errors.ts';
import type { EventStreams } from '../signals/event-stream.ts';
import { jsonMembers, requiredText } from '../signals/json-members.ts';
import { MANAGE } from '../signals/receiver-scope.ts';
import { readSubject } from '../signals/subject-request.ts';
import { type ReceiverAccess, streamOfReceiver } from './receiver-access.ts';

/** Below the issuer. */
export const ADD_SUBJECT_PATH = '/ssf/subjects/add';
export const REMOVE_SUBJECT_PATH = '/ssf/subjects/remove';

/** Of one stream. */
const MOST_REMOVED = 10_000;

interface SubjectRooms {
  readonly issuer: string;
  readonly eventStreams: EventStreams;
  readonly receiverAccess: ReceiverAccess;
}

/**
 * SSF 1.0 section 8.1.3: all users that the receiver has grants of are on a stream, until it takes one off, and puts it back on. Any `sub` may be named,
 * and the answer is the same whether there is such a user (section 9.1: subject probing); adding one makes the receiver hear of nobody else.
 */
export function eventStreamSubjectEndpoints({ issuer, eventStreams, receiverAccess }: SubjectRooms): readonly Endpoint[] {
  return [
    endpoint(ADD_SUBJECT_PATH, 200, async (streamId, subject) => eventStreams.addSubject(streamId, subject)),
    endpoint(REMOVE_SUBJECT_PATH, 204, async (streamId, subject) => {
      if (!(await eventStreams.removeSubject(streamId, subject, MOST_REMOVED))) {
        throw new InvalidRequest(`${MOST_REMOVED} subjects have been removed from the stream, which is the most.`);
      }
    }),
  ];

  function endpoint(path: `/${string}`, status: 200 | 204, act: (streamId: string, subject: string) => Promise<void>): Endpoint {
    return {
      path,
      methods: ['POST'],
      body: 'json',
      async handle(request) {
        const receiver = await receiverAccess(request, path, MANAGE);
        const members = jsonMembers(request.json);
        const { id } = await streamOfReceiver(eventStreams, receiver, requiredText(members, 'stream_id'));
        await act(id, readSubject(members, issuer));
        return { kind: 'empty', status, headers: receiver.headers };
      },
    };
  }
}
