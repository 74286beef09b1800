import type { Clients } from '../clients/clients.ts';
import type { DeliveryKind } from '../deliveries/delivery.ts';
import { openSealedText, type Seal } from '../keys/sealed-text.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import type { OutboundAnswer } from '../outbound/outbound.ts';
import type { Subjects } from '../tokens/subjects.ts';
import type { EventStreams } from './event-stream.ts';
import { STREAM_UPDATED } from './event-types.ts';
import { isReceiver } from './receiver-scope.ts';
import { aboutRemoved } from './removed-subjects.ts';
import { SECURITY_EVENT_DELIVERY } from './security-event.ts';
import type { SecurityEventTokenIssuer } from './security-event-token.ts';

/** What a stream's `authorization_header` is sealed for. */
export function authorizationSeal(streamId: string): Seal {
  return { domain: 'event_stream_authorization', owner: streamId };
}

/** RFC 8935: pushes security event tokens. The delivery's id is the event's, its payload has `stream_id`. */
export function securityEventPush(rooms: {
  readonly eventStreams: Pick<EventStreams, 'find' | 'findEvent' | 'removedAmong' | 'acknowledge'>;
  readonly clients: Pick<Clients, 'find'>;
  readonly subjects: Subjects;
  readonly issueSecurityEventToken: SecurityEventTokenIssuer;
  readonly secrets: Pick<ServerSecrets, 'byId'>;
}): DeliveryKind {
  const { eventStreams, clients, subjects, issueSecurityEventToken, secrets } = rooms;
  return {
    kind: SECURITY_EVENT_DELIVERY,
    async requestFor({ id, clientId, payload }, now) {
      const [event, stream, client] = await Promise.all([
        eventStreams.findEvent(id),
        eventStreams.find(clientId, payload['stream_id'] ?? ''),
        clients.find(clientId),
      ]);
      if (event === undefined || stream === undefined || client === undefined || !isReceiver(client)) {
        return undefined;
      }
      // As it is now, and not as it was when the event happened.
      if (!(stream.status === 'enabled' || event.type === STREAM_UPDATED) || stream.delivery.method !== 'push') {
        return 'held';
      }
      if ((await aboutRemoved({ eventStreams, subjects }, { streamId: stream.id, client }, [event])).has(id)) {
        return undefined;
      }
      const { endpointUrl, sealedAuthorization } = stream.delivery;
      const authorization = sealedAuthorization && openSealedText(secrets, authorizationSeal(stream.id), sealedAuthorization);
      if (sealedAuthorization !== undefined && authorization === undefined) {
        // SSF 1.0 section 6.1.1: the receiver wants it on every request.
        throw new Error('the authorization_header of the stream cannot be opened: its server secret is gone');
      }
      return {
        method: 'POST',
        url: endpointUrl,
        headers: {
          'content-type': 'application/secevent+jwt',
          accept: 'application/json',
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: await issueSecurityEventToken(event, client, now),
      };
    },
    outcomeOf,
    async settled({ id, payload }) {
      await eventStreams.acknowledge(payload['stream_id'] ?? '', [id]);
    },
  };
}

/** RFC 8935 sections 2.2 to 2.4: 202 and nothing else takes responsibility for the event; 400 with an `err` says that trying again is no use. */
function outcomeOf({ status, body }: OutboundAnswer): ReturnType<NonNullable<DeliveryKind['outcomeOf']>> {
  if (status === 202) {
    return { kind: 'arrived' };
  }
  const err = status === 400 ? errIn(body) : undefined;
  return err === undefined
    ? { kind: 'failed', reason: `the answer has status ${status}` }
    : { kind: 'refused', reason: `the receiver refuses it: ${err}` };
}

const LONGEST_ERR = 100;

function errIn(body: string): string | undefined {
  try {
    const { err } = Object(JSON.parse(body)) as { readonly err?: unknown };
    return typeof err === 'string' ? err.slice(0, LONGEST_ERR) : undefined;
  } catch {
    return undefined;
  }
}
