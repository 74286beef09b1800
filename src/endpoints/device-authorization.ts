import type { AuthorizationRequests } from '../authorization/authorization-requests.ts';
import { withProvenKey } from '../authorization/dpop-jkt.ts';
import { receivedDeferred, refuseTooLong, withoutAuthentication } from '../authorization/received-request.ts';
import type { ClientAuthenticator } from '../clients/authentication.ts';
import { DEVICE_CODE_GRANT } from '../clients/deferred-grants.ts';
import { mayUseGrantType } from '../clients/permissions.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import type { Endpoint } from '../core/endpoint.ts';
import { InvalidRequest, RequestFormNotSupported, UnauthorizedClient } from '../core/errors.ts';
import { newIdentifier } from '../core/identifiers.ts';
import { type Parameters, refuseRepeats } from '../core/parameters.ts';
import type { DeferredCredentials } from '../deferred-requests/deferred-credentials.ts';
import type { DeferredRequest, DeferredRequests } from '../deferred-requests/deferred-request.ts';
import { TooManyDeferredRequests } from '../deferred-requests/too-many-deferred-requests.ts';
import type { UserCodes } from '../deferred-requests/user-codes.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { SenderConstraint } from '../tokens/sender-constraint.ts';
import { provenKey } from '../tokens/sender-constraint.ts';

/**
 * RFC 8628 section 3.1: a device asks for a decision, and is given a code to show and one to poll with. All of the request that can be checked
 * without the user is checked here, where the client is told of it.
 */
export function deviceAuthorizationEndpoint(rooms: {
  readonly issuer: string;
  readonly authenticateClient: ClientAuthenticator;
  readonly requests: AuthorizationRequests;
  readonly senderConstraints: readonly SenderConstraint[];
  readonly deferredRequests: Pick<DeferredRequests, 'create'>;
  readonly deferredCredentials: Pick<DeferredCredentials, 'mint'>;
  readonly userCodes: Pick<UserCodes, 'make'>;
  readonly deviceCodeSeconds: number;
  readonly devicePollSeconds: number;
  readonly mostDeferredRequests: number;
  readonly limits: Pick<RequestLimits, 'deferredRequest'>;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): Endpoint {
  const { issuer, authenticateClient, requests, senderConstraints, deferredCredentials, limits, clock, audit } = rooms;
  const { deviceCodeSeconds, devicePollSeconds } = rooms;

  return {
    path: PATH,
    methods: ['POST'],
    metadataName: 'device_authorization_endpoint',
    crossOrigin: true,
    async handle(request) {
      const { form, remoteAddress, requestId } = request;
      refuseRepeats(form, ['resource']);
      const client = await authenticateClient(request);
      if (!mayUseGrantType(client, DEVICE_CODE_GRANT)) {
        throw new UnauthorizedClient(`The client is not registered for the grant type ${DEVICE_CODE_GRANT}.`);
      }
      if (!client.isConfidential) {
        limits.deferredRequest(request);
      }
      refuseOtherForms(form);
      const proven = await provenKey(senderConstraints, request, PATH, client);
      const now = clock.now();
      const deferred: DeferredRequest = {
        id: newIdentifier(),
        kind: 'device',
        clientId: client.id,
        userId: undefined,
        parameters: withProvenKey(withoutAuthentication(form, client.id), proven),
        remoteAddress,
        createdAt: now,
        expiresAt: now + deviceCodeSeconds,
      };
      const received = receivedDeferred(deferred);
      refuseTooLong(received);
      const { prompts } = await requests.authorization(await requests.address(received));
      if (prompts.includes('none')) {
        throw new InvalidRequest('The prompt none makes no sense here: the user is always asked.');
      }
      const userCode = await keep(deferred);
      audit.record('deferred_request_created', { kind: 'device', clientId: client.id, remoteAddress, requestId });
      return {
        kind: 'json',
        status: 200,
        body: {
          device_code: deferredCredentials.mint('device', deferred.id),
          user_code: userCode,
          verification_uri: `${issuer}/device`,
          verification_uri_complete: `${issuer}/device?user_code=${userCode}`,
          expires_in: deviceCodeSeconds,
          interval: devicePollSeconds,
        },
        headers: proven?.headers ?? {},
      };
    },
  };

  /** @returns the user code, which is no other live request's. */
  async function keep(deferred: DeferredRequest): Promise<string> {
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const { text, digest } = rooms.userCodes.make();
      const kept = { ...deferred, userCode: digest, intervalSeconds: devicePollSeconds };
      switch (await rooms.deferredRequests.create(kept, rooms.mostDeferredRequests, deferred.createdAt)) {
        case 'created':
          return text;
        case 'too_many':
          throw new TooManyDeferredRequests(deviceCodeSeconds);
        case 'taken':
          continue;
      }
    }
    throw new Error('no user code is free');
  }
}

const PATH = '/device_authorization';
// One in millions is taken: the second is free but for a fault of the random numbers.
const MOST_ATTEMPTS = 5;

/** RFC 8628 section 3.1 has parameters alone; RFC 9101 and RFC 9126 are about the authorization endpoint. Ignored, they would say nothing. */
function refuseOtherForms(form: Parameters): void {
  const name = (['request', 'request_uri'] as const).find((each) => form.get(each) !== undefined);
  if (name !== undefined) {
    throw new RequestFormNotSupported(
      `${name}_not_supported`,
      `The parameter ${name} is not supported here: send the parameters themselves.`,
    );
  }
}
