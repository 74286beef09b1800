import type { Client } from '../clients/client.ts';
import type { Clock } from '../core/clock.ts';
import type { ProtocolRequest } from '../core/endpoint.ts';
import { InvalidRequest, OAuthError } from '../core/errors.ts';
import { parseScope } from '../core/scope.ts';
import type { EventStream, EventStreams } from '../signals/event-stream.ts';
import type { AccessTokenBacker } from '../tokens/access-token-backing.ts';
import type { AccessTokenReader } from '../tokens/own-access-tokens.ts';
import { InsufficientScope, InvalidToken, presentedAccessToken } from '../tokens/presented-access-token.ts';
import { provenAccess, type SenderConstraint } from '../tokens/sender-constraint.ts';

/** A receiver of security events that a request comes from. */
export interface Receiver {
  readonly client: Client;
  /** Header fields that go with the answer. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Who asks, and that it may. Every one of the scope values is good for it.
 * @throws OAuthError with a challenge.
 */
export type ReceiverAccess = (request: ProtocolRequest, path: `/${string}`, scopes: readonly [string, ...string[]]) => Promise<Receiver>;

const REALM = 'shared signals';

/**
 * Receivers are clients that act for themselves: an access token of ours, by the client credentials grant, bound to a key where the client's tokens are.
 * A token that was made for another resource is none for here (RFC 9068 section 4): whoever it was sent to could use it otherwise.
 */
export function receiverAccess(rooms: {
  readonly issuer: string;
  readonly readAccessToken: AccessTokenReader;
  readonly backingOf: AccessTokenBacker;
  readonly senderConstraints: readonly SenderConstraint[];
  readonly clock: Clock;
}): ReceiverAccess {
  const { issuer, readAccessToken, backingOf, senderConstraints, clock } = rooms;
  return async (request, path, scopes) => {
    const presented = presentedAccessToken(request, REALM);
    const { token, scheme } = presented;
    const read = await readAccessToken(token, clock.now());
    const backing = read && (await backingOf(read));
    if (read === undefined || backing === undefined) {
      throw new InvalidToken('unknown, expired or revoked', scheme, REALM);
    }
    if (backing.grant !== undefined || !read.audience.includes(issuer)) {
      throw new InvalidToken(backing.grant === undefined ? 'for another resource' : 'on behalf of a user', scheme, REALM);
    }
    const { client } = backing;
    const { scope } = read.claims;
    // A scope value that was taken from the client since then gives nothing any more.
    const granted = parseScope(typeof scope === 'string' ? scope : '').filter((value) => client.scope.includes(value));
    if (!scopes.some((value) => granted.includes(value))) {
      throw new InsufficientScope(scopes[0], scheme, REALM);
    }
    return { client, headers: await provenAccess(senderConstraints, request, path, { token, claims: read.claims, client }) };
  };
}

/** SSF 1.0 section 8.1: "there is no Event Stream with the given stream_id for this Event Receiver". Another's is none. */
export class StreamNotFound extends OAuthError {
  readonly code = 'not_found';
  override readonly status = 404;

  constructor() {
    super('The receiver has no stream with this stream_id.');
  }
}

/** The stream of a receiver. @throws StreamNotFound, InvalidRequest when none is named. */
export async function streamOfReceiver(
  eventStreams: Pick<EventStreams, 'find'>,
  { client }: Receiver,
  id: string | undefined,
): Promise<EventStream> {
  if (id === undefined) {
    throw new InvalidRequest('The parameter stream_id is missing.');
  }
  const stream = await eventStreams.find(client.id, id);
  if (stream === undefined) {
    throw new StreamNotFound();
  }
  return stream;
}
