import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { InvalidRequest, OAuthError } from '../core/errors.ts';
import type { EventStreams } from '../signals/event-stream.ts';
import { jsonMembers, optionalText, requiredText } from '../signals/json-members.ts';
import { MANAGE } from '../signals/receiver-scope.ts';
import { MIN_VERIFICATION_INTERVAL_SECONDS } from '../signals/stream-document.ts';
import { verificationEvent } from '../signals/stream-events.ts';
import { type ReceiverAccess, streamOfReceiver } from './receiver-access.ts';

/** Of the verification endpoint, below the issuer. */
export const VERIFICATION_PATH = '/ssf/verify';

/** SSF 1.0 section 8.1.4.2: a receiver has an event sent to find out whether events arrive. */
export function eventStreamVerificationEndpoint(rooms: {
  readonly eventStreams: EventStreams;
  readonly receiverAccess: ReceiverAccess;
  readonly deliverSoon: () => void;
  readonly clock: Clock;
}): Endpoint {
  const { eventStreams, receiverAccess, deliverSoon, clock } = rooms;
  return {
    path: VERIFICATION_PATH,
    methods: ['POST'],
    body: 'json',
    async handle(request) {
      const receiver = await receiverAccess(request, VERIFICATION_PATH, MANAGE);
      const members = jsonMembers(request.json);
      const stream = await streamOfReceiver(eventStreams, receiver, requiredText(members, 'stream_id'));
      if (stream.status === 'disabled') {
        throw new InvalidRequest('The stream is disabled, and no event is sent on it: enable it first.');
      }
      const now = clock.now();
      const event = verificationEvent(stream, optionalText(members, 'state'), now);
      if (!(await eventStreams.requestVerification(event, now, now - MIN_VERIFICATION_INTERVAL_SECONDS))) {
        throw new TooManyVerifications();
      }
      deliverSoon();
      return { kind: 'empty', status: 204, headers: receiver.headers };
    },
  };
}

/** SSF 1.0 section 8.1.1, `min_verification_interval`. */
class TooManyVerifications extends OAuthError {
  readonly code = 'invalid_request';
  override readonly status = 429;
  override readonly headers = { 'retry-after': String(MIN_VERIFICATION_INTERVAL_SECONDS) };

  constructor() {
    super(`A verification event was requested less than ${MIN_VERIFICATION_INTERVAL_SECONDS} s ago (min_verification_interval).`);
  }
}
