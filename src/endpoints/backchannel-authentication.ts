import type { User } from '../accounts/user.ts';
import type { AuthorizationRequests } from '../authorization/authorization-requests.ts';
import type { BackchannelRequestReader, ReceivedBackchannelRequest } from '../authorization/backchannel-request-object.ts';
import { withProvenKey } from '../authorization/dpop-jkt.ts';
import { receivedDeferred, refuseTooLong, withoutAuthentication } from '../authorization/received-request.ts';
import type { ClientAuthenticator } from '../clients/authentication.ts';
import type { Client } from '../clients/client.ts';
import { CIBA_GRANT } from '../clients/deferred-grants.ts';
import { mayUseGrantType } from '../clients/permissions.ts';
import type { BackchannelConfig } from '../config/config.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock, EpochSeconds } from '../core/clock.ts';
import type { Endpoint, ProtocolRequest } from '../core/endpoint.ts';
import { InvalidRequest, UnauthorizedClient } from '../core/errors.ts';
import { newIdentifier } from '../core/identifiers.ts';
import { refuseRepeats } from '../core/parameters.ts';
import { UnknownUserId } from '../deferred-requests/backchannel-errors.ts';
import { keptParameters, readBackchannelRequest, type UserHint } from '../deferred-requests/backchannel-request.ts';
import type { DeferredCredentials } from '../deferred-requests/deferred-credentials.ts';
import type { DeferredRequest, DeferredRequests } from '../deferred-requests/deferred-request.ts';
import type { HintedUserFinder } from '../deferred-requests/hinted-user.ts';
import { sealNotification } from '../deferred-requests/ping-delivery.ts';
import { TooManyDeferredRequests } from '../deferred-requests/too-many-deferred-requests.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import type { SenderConstraint } from '../tokens/sender-constraint.ts';
import { provenKey } from '../tokens/sender-constraint.ts';
import type { UsedIdentifiers } from '../tokens/used-identifiers.ts';

/**
 * CIBA section 7: a client asks one user, whom it names, and is given what it polls with. All of the request that can be checked without the user
 * is checked here, where the client is told of it.
 */
export function backchannelAuthenticationEndpoint(rooms: {
  readonly path: `/${string}`;
  readonly authenticateClient: ClientAuthenticator;
  readonly requests: AuthorizationRequests;
  readonly readRequest: BackchannelRequestReader;
  readonly findUser: HintedUserFinder;
  readonly senderConstraints: readonly SenderConstraint[];
  readonly deferredRequests: Pick<DeferredRequests, 'create'>;
  readonly deferredCredentials: Pick<DeferredCredentials, 'mint'>;
  readonly usedIdentifiers: UsedIdentifiers;
  readonly keys: Pick<KeyRing, 'secrets'>;
  readonly backchannel: BackchannelConfig;
  readonly mostDeferredRequests: number;
  readonly limits: Pick<RequestLimits, 'askedUser' | 'userHint' | 'unknownUser'>;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): Endpoint {
  const { path, authenticateClient, requests, senderConstraints, deferredRequests, deferredCredentials, keys, backchannel } = rooms;
  const { limits, clock, audit } = rooms;

  return {
    path,
    methods: ['POST'],
    metadataName: 'backchannel_authentication_endpoint',
    async handle(request) {
      refuseRepeats(request.form, ['resource']);
      const client = await authenticateClient(request);
      if (!client.isConfidential || !mayUseGrantType(client, CIBA_GRANT)) {
        throw new UnauthorizedClient(`The client is not registered for the grant type ${CIBA_GRANT}.`);
      }
      const now = clock.now();
      const { parameters, signed } = await rooms.readRequest(withoutAuthentication(request.form, client.id), client, now);
      refuseRepeats(parameters, ['resource']);
      const proven = await provenKey(senderConstraints, request, path, client);
      const asked = readBackchannelRequest(parameters, client);
      const id = newIdentifier();
      const expiresIn = Math.min(asked.requestedExpirySeconds ?? backchannel.requestSeconds, backchannel.requestSeconds);
      const user = await hintedUser(request, client, asked.hint);
      const deferred: DeferredRequest = {
        id,
        kind: 'ciba',
        clientId: client.id,
        userId: user.id,
        parameters: withProvenKey(keptParameters(parameters), proven),
        ...(signed === undefined ? {} : { isSigned: true }),
        remoteAddress: request.remoteAddress,
        createdAt: now,
        expiresAt: now + expiresIn,
      };
      const received = receivedDeferred(deferred);
      refuseTooLong(received);
      await requests.authorization(await requests.address(received));
      limits.askedUser(client.id, user.id, request);
      await useOnce(client, signed);
      const authReqId = deferredCredentials.mint('ciba', id);
      await keep(deferred, asked.notificationToken && sealNotification(keys.secrets, id, { token: asked.notificationToken, authReqId }));
      const { remoteAddress, requestId } = request;
      audit.record('deferred_request_created', { kind: 'ciba', clientId: client.id, userId: user.id, remoteAddress, requestId });
      return {
        kind: 'json',
        status: 200,
        body: { auth_req_id: authReqId, expires_in: expiresIn, interval: backchannel.pollSeconds },
        headers: proven?.headers ?? {},
      };
    },
  };

  /** @throws UnknownUserId; TooManyRequests, known or not, when the client has named too many who are not there. */
  async function hintedUser(request: ProtocolRequest, client: Client, hint: UserHint): Promise<User> {
    limits.userHint(client.id, request);
    try {
      return await rooms.findUser(client, hint);
    } catch (error) {
      if (error instanceof UnknownUserId) {
        audit.record('unknown_user_hinted', { clientId: client.id, remoteAddress: request.remoteAddress, requestId: request.requestId });
        limits.unknownUser(client.id, request);
      }
      throw error;
    }
  }

  /** Before the request is kept: of two copies of what a client signed one is a request, on whatever node they come in. */
  async function useOnce(client: Client, signed: ReceivedBackchannelRequest['signed']): Promise<void> {
    if (signed !== undefined && !(await rooms.usedIdentifiers.use(`request_object ${client.id}`, signed.jti, signed.expiresAt))) {
      throw new InvalidRequest('The jti of the request was used before: sign a new one for each request.');
    }
  }

  async function keep(deferred: DeferredRequest, sealedNotification: string | undefined): Promise<void> {
    const kept = {
      ...deferred,
      userCode: undefined,
      ...(sealedNotification === undefined ? {} : { sealedNotification }),
      intervalSeconds: backchannel.pollSeconds,
    };
    const mostOfUser = { ofClient: backchannel.mostOfUser, ofAll: MOST_OF_USER };
    if ((await deferredRequests.create(kept, rooms.mostDeferredRequests, deferred.createdAt, mostOfUser)) !== 'created') {
      throw new TooManyDeferredRequests(longestWait(deferred));
    }
  }

  /** By then whatever is kept now has expired. */
  function longestWait({ createdAt, expiresAt }: { readonly createdAt: EpochSeconds; readonly expiresAt: EpochSeconds }): number {
    return Math.max(backchannel.requestSeconds, expiresAt - createdAt);
  }
}

/** Of all clients together: what fits on a page, and is more than anybody starts at once. */
const MOST_OF_USER = 50;
