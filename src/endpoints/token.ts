import type { ClientAuthenticator } from '../clients/authentication.ts';
import type { ClientUses } from '../clients/client-uses.ts';
import { mayUseGrantType } from '../clients/permissions.ts';
import type { EnabledFeatures } from '../config/feature-switches.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { InvalidTarget, UnauthorizedClient, UnsupportedGrantType } from '../core/errors.ts';
import { refuseRepeats, required } from '../core/parameters.ts';
import type { GrantType } from '../grant-types/grant-type.ts';
import type { SenderConstraint } from '../tokens/sender-constraint.ts';
import { provenKey, refuseUnbound } from '../tokens/sender-constraint.ts';

/** RFC 6749 section 3.2: finds out the client, then lets the grant type's own rules decide. */
export function tokenEndpoint(rooms: {
  readonly grantTypes: readonly GrantType[];
  readonly authenticateClient: ClientAuthenticator;
  readonly senderConstraints: readonly SenderConstraint[];
  readonly enabled: EnabledFeatures;
  readonly clientUses: Pick<ClientUses, 'note'>;
  readonly clock: Clock;
}): Endpoint {
  const takesResources = rooms.enabled.has('resource-indicators');
  const grantTypes = new Map(rooms.grantTypes.map((grantType) => [grantType.type, grantType]));

  return {
    path: '/token',
    methods: ['POST'],
    metadataName: 'token_endpoint',
    crossOrigin: true,
    async handle(request) {
      const { form } = request;
      const grantType = grantTypes.get(form.get('grant_type') ?? '');
      refuseRepeats(form, grantType?.mayRepeat ?? MAY_REPEAT);
      const client = await rooms.authenticateClient(request);
      if (grantType === undefined) {
        required(form, 'grant_type');
        throw new UnsupportedGrantType(`The grant_type must be one of ${[...grantTypes.keys()].join(', ')}.`);
      }
      if (!mayUseGrantType(client, grantType.type)) {
        throw new UnauthorizedClient(`The client is not registered for the grant type ${grantType.type}.`);
      }
      if (!takesResources && form.get('resource') !== undefined) {
        // Ignored, it would give a token for another audience than was asked for.
        throw new InvalidTarget('Resource indicators (RFC 8707) are not supported here: send no resource.');
      }
      const proven = await provenKey(rooms.senderConstraints, request, '/token', client);
      refuseUnbound(client, proven);
      const body = await grantType.exchange({
        client,
        parameters: form,
        confirmation: proven?.confirmation,
        now: rooms.clock.now(),
        requestId: request.requestId,
        counted: request,
      });
      if (client.registeredItself !== undefined) {
        rooms.clientUses.note(client.id);
      }
      return { kind: 'json', status: 200, body, headers: proven?.headers ?? {} };
    },
  };
}

// RFC 8707 section 2.
const MAY_REPEAT = ['resource'];
