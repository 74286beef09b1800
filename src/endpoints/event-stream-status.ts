import type { AuditTrail } from '../core/audit.ts';
import type { Endpoint, ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import { InvalidRequest } from '../core/errors.ts';
import { refuseRepeats } from '../core/parameters.ts';
import type { EventStream, EventStreams } from '../signals/event-stream.ts';
import { jsonMembers, optionalText, requiredText } from '../signals/json-members.ts';
import { MANAGE, READ } from '../signals/receiver-scope.ts';
import { type Receiver, type ReceiverAccess, streamOfReceiver } from './receiver-access.ts';

/** Of the status endpoint, below the issuer. */
export const STATUS_PATH = '/ssf/status';
const STATUSES = ['enabled', 'paused', 'disabled'] as const;

/** SSF 1.0 section 8.1.2: receivers look at the status of a stream, and set it. */
export function eventStreamStatusEndpoint(rooms: {
  readonly eventStreams: EventStreams;
  readonly receiverAccess: ReceiverAccess;
  readonly deliverSoon: () => void;
  readonly audit: AuditTrail;
}): Endpoint {
  const { eventStreams, receiverAccess, deliverSoon, audit } = rooms;

  return {
    path: STATUS_PATH,
    methods: ['GET', 'POST'],
    body: 'json',
    async handle(request) {
      refuseRepeats(request.query);
      const receiver = await receiverAccess(request, STATUS_PATH, request.method === 'GET' ? READ : MANAGE);
      return request.method === 'GET'
        ? told(receiver, await streamOfReceiver(eventStreams, receiver, request.query.get('stream_id')))
        : set(receiver, request);
    },
  };

  async function set(receiver: Receiver, { json }: ProtocolRequest): Promise<ProtocolResponse> {
    const members = jsonMembers(json);
    const id = requiredText(members, 'stream_id');
    const status = STATUSES.find((one) => one === members['status']);
    if (status === undefined) {
      throw new InvalidRequest(`The member status must be one of ${STATUSES.join(', ')}.`);
    }
    const statusReason = optionalText(members, 'reason');
    const stream = await streamOfReceiver(eventStreams, receiver, id);
    await eventStreams.setStatus(stream, { status, reason: statusReason });
    audit.record('event_stream_status_changed', { clientId: stream.clientId, streamId: id, status, by: 'receiver' });
    deliverSoon();
    return told(receiver, { ...stream, status, statusReason });
  }
}

function told({ headers }: Receiver, { id, status, statusReason }: EventStream): ProtocolResponse {
  const body = { stream_id: id, status, ...(statusReason === undefined ? {} : { reason: statusReason }) };
  return { kind: 'json', status: 200, body, headers };
}
