import type { AuthorizationRequests } from '../authorization/authorization-requests.ts';
import { withProvenKey } from '../authorization/dpop-jkt.ts';
import type { PushedRequests } from '../authorization/pushed-requests.ts';
import { pushedRequestUri, TooManyPushedRequests } from '../authorization/pushed-requests.ts';
import { refuseTooLong, withoutAuthentication } from '../authorization/received-request.ts';
import type { ClientAuthenticator } from '../clients/authentication.ts';
import type { Clients } from '../clients/clients.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { InvalidRequest } from '../core/errors.ts';
import { newIdentifier } from '../core/identifiers.ts';
import { refuseRepeats } from '../core/parameters.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { SenderConstraint } from '../tokens/sender-constraint.ts';
import { provenKey } from '../tokens/sender-constraint.ts';

/**
 * RFC 9126 section 2: takes an authorization request from the client itself, checks all of it that can be checked without the user, and gives a
 * reference to send the browser with.
 */
export function pushedAuthorizationRequestEndpoint(rooms: {
  readonly authenticateClient: ClientAuthenticator;
  readonly clients: Pick<Clients, 'current'>;
  readonly requests: AuthorizationRequests;
  readonly pushedRequests: Pick<PushedRequests, 'create'>;
  readonly senderConstraints: readonly SenderConstraint[];
  readonly keys: Pick<KeyRing, 'secrets'>;
  readonly pushedRequestSeconds: number;
  readonly mostPushedRequests: number;
  readonly limits: Pick<RequestLimits, 'pushedRequest'>;
  readonly clock: Clock;
}): Endpoint {
  const { authenticateClient, clients, requests, pushedRequests, senderConstraints, keys, limits, clock } = rooms;
  const { pushedRequestSeconds, mostPushedRequests } = rooms;

  return {
    path: PATH,
    methods: ['POST'],
    metadataName: 'pushed_authorization_request_endpoint',
    crossOrigin: true,
    async handle(request) {
      refuseRepeats(request.form, ['resource']);
      // The first that is heard of a client may be this: it is made known on behalf of whoever asks.
      await clients.current(request.form.get('client_id') ?? '', request);
      const client = await authenticateClient(request);
      if (!client.isConfidential) {
        limits.pushedRequest(request);
      }
      if (request.form.get('request_uri') !== undefined) {
        throw new InvalidRequest('The parameter request_uri must not be pushed (RFC 9126 section 2.1).');
      }
      const id = newIdentifier();
      const sent = await requests.receive(withoutAuthentication(request.form, client.id));
      const proven = await provenKey(senderConstraints, request, PATH, client);
      const received = { ...sent, parameters: withProvenKey(sent.parameters, proven), pushedId: id };
      refuseTooLong(received);
      await requests.authorization(await requests.address(received));
      const { parameters, isSigned } = received;
      const now = clock.now();
      const pushed = { id, clientId: client.id, parameters, isSigned, expiresAt: now + pushedRequestSeconds };
      if (!(await pushedRequests.create(pushed, mostPushedRequests, now))) {
        throw new TooManyPushedRequests(pushedRequestSeconds);
      }
      return {
        kind: 'json',
        status: 201,
        body: { request_uri: pushedRequestUri(keys.secrets, id), expires_in: pushedRequestSeconds },
        headers: proven?.headers ?? {},
      };
    },
  };
}

const PATH = '/par';
