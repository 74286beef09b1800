import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint, ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import { InvalidRequest, OAuthError, TemporarilyUnavailable } from '../core/errors.ts';
import { newIdentifier } from '../core/identifiers.ts';
import { refuseRepeats } from '../core/parameters.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import type { EventStream, EventStreams } from '../signals/event-stream.ts';
import { type JsonMembers, jsonMembers, requiredText } from '../signals/json-members.ts';
import { MANAGE, READ } from '../signals/receiver-scope.ts';
import { streamDocument } from '../signals/stream-document.ts';
import { readStreamSettings, refuseOthersSupplied } from '../signals/stream-settings.ts';
import { type Receiver, type ReceiverAccess, StreamNotFound, streamOfReceiver } from './receiver-access.ts';

/** Of one client. */
const MOST_STREAMS = 10;

/** SSF 1.0 section 8.1.1: receivers make streams, look at them, change them and delete them. */
export function eventStreamsEndpoint(rooms: {
  readonly issuer: string;
  readonly eventStreams: EventStreams;
  readonly receiverAccess: ReceiverAccess;
  readonly keys: { readonly secrets: Pick<ServerSecrets, 'newest'> };
  readonly privateAddresses: boolean;
  readonly deliverSoon: () => void;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}): Endpoint {
  const { issuer, eventStreams, receiverAccess, keys, privateAddresses, deliverSoon, audit, clock } = rooms;
  const rules = { secrets: keys.secrets, privateAddresses };

  return {
    path: PATH,
    methods: ['GET', 'POST', 'PATCH', 'PUT', 'DELETE'],
    body: 'json',
    async handle(request) {
      refuseRepeats(request.query);
      const receiver = await receiverAccess(request, PATH, request.method === 'GET' ? READ : MANAGE);
      switch (request.method) {
        case 'GET':
          return read(receiver, request);
        case 'POST':
          return create(receiver, jsonMembers(request.json));
        case 'DELETE':
          return remove(receiver, request);
        default:
          return change(receiver, jsonMembers(request.json), { keep: request.method === 'PATCH' });
      }
    },
  };

  async function read(receiver: Receiver, { query }: ProtocolRequest): Promise<ProtocolResponse> {
    const id = query.get('stream_id');
    if (id !== undefined) {
      return told(receiver, await streamOfReceiver(eventStreams, receiver, id));
    }
    const streams = await eventStreams.list(receiver.client.id);
    return { kind: 'json', status: 200, body: streams.map((stream) => streamDocument(stream, issuer)), headers: receiver.headers };
  }

  async function create(receiver: Receiver, members: JsonMembers): Promise<ProtocolResponse> {
    const id = newIdentifier();
    const stream: EventStream = {
      id,
      clientId: receiver.client.id,
      ...readStreamSettings(members, { id, keep: false }, rules),
      status: 'enabled',
      statusReason: undefined,
      version: 1,
      createdAt: clock.now(),
    };
    if (!(await eventStreams.create(stream, MOST_STREAMS))) {
      throw new TooManyStreams();
    }
    audit.record('event_stream_created', { clientId: receiver.client.id, streamId: id, method: stream.delivery.method });
    return told(receiver, stream, 201);
  }

  async function change(receiver: Receiver, members: JsonMembers, { keep }: { readonly keep: boolean }): Promise<ProtocolResponse> {
    const id = requiredText(members, 'stream_id');
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const before = await streamOfReceiver(eventStreams, receiver, id);
      refuseOthersSupplied(members, streamDocument(before, issuer));
      const settings = readStreamSettings(members, { id, before, keep }, rules);
      if (await eventStreams.change(before, settings)) {
        deliverSoon();
        return told(receiver, { ...before, ...settings });
      }
      // Somebody else changed it meanwhile: what is missing in this request is as it is now.
    }
    throw new TemporarilyUnavailable('The stream is being changed by others: try again.');
  }

  async function remove(receiver: Receiver, { query }: ProtocolRequest): Promise<ProtocolResponse> {
    const id = query.get('stream_id');
    if (id === undefined) {
      throw new InvalidRequest('The parameter stream_id is missing.');
    }
    if (!(await eventStreams.delete(receiver.client.id, id))) {
      throw new StreamNotFound();
    }
    audit.record('event_stream_deleted', { clientId: receiver.client.id, streamId: id });
    return { kind: 'empty', status: 204, headers: receiver.headers };
  }

  function told({ headers }: Receiver, stream: EventStream, status = 200): ProtocolResponse {
    return { kind: 'json', status, body: streamDocument(stream, issuer), headers };
  }
}

/** Of the configuration endpoint, below the issuer. */
export const PATH = '/ssf/streams';
const MOST_ATTEMPTS = 5;

/** SSF 1.0 section 8.1.1.1: 409, as where only one is allowed. */
class TooManyStreams extends OAuthError {
  readonly code = 'invalid_request';
  override readonly status = 409;

  constructor() {
    super(`The receiver has ${MOST_STREAMS} streams, which is the most: change or delete one of them.`);
  }
}
