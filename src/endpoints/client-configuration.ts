import { InvalidClientMetadata } from '../clients/client-metadata-rules.ts';
import type { ClientRecord } from '../clients/client-store.ts';
import type { SelfRegistration } from '../clients/self-registration.ts';
import { weakerMember } from '../clients/weaker-metadata.ts';
import type { Endpoint, ProtocolRequest, ProtocolResponse } from '../core/endpoint.ts';
import { digest, equalInConstantTime } from '../core/secrets.ts';
import { type JsonMembers, jsonMembers } from '../signals/json-members.ts';
import { InvalidToken, presentedAccessToken } from '../tokens/presented-access-token.ts';
import { markOf, REGISTRATION_PATH, type SelfRegistrationRooms, selfRegistrationRules } from './self-registration.ts';

/** A client that proved to be the one its address is of. */
interface Registrant {
  readonly record: ClientRecord;
  readonly registration: SelfRegistration;
  /** Of the token it came with. The answer has the next one, and this one is good until that one is used: an answer may be lost. */
  readonly generation: number;
}

/** RFC 7592 section 2: a client that registered itself looks at its registration, changes it and ends it. */
export function clientConfigurationEndpoint(rooms: SelfRegistrationRooms): Endpoint {
  const { clock, audit, limits, clients, clientStore, selfRegistrations } = rooms;
  const { tokens, apply, registrationWithin, information } = selfRegistrationRules(rooms);

  return {
    path: REGISTRATION_PATH,
    segments: ['client_id'],
    methods: ['GET', 'PUT', 'DELETE'],
    body: 'json',
    crossOrigin: true,
    async handle(request) {
      limits[request.method === 'GET' ? 'publicClient' : 'registration'](request);
      const registrant = await proven(request);
      switch (request.method) {
        case 'PUT':
          return update(registrant, jsonMembers(request.json), request);
        case 'DELETE':
          return remove(registrant, request);
        default:
          return told(registrant, { record: registrant.record, secret: undefined }, registrant.registration.softwareStatement);
      }
    },
  };

  /** RFC 7592 section 2: an unknown client, another's token and one that was replaced fail alike. @throws InvalidToken */
  async function proven(request: ProtocolRequest): Promise<Registrant> {
    const { token, scheme } = presentedAccessToken(request, REALM);
    const access = scheme === 'Bearer' ? tokens.prove(token) : undefined;
    if (access === undefined || access.clientId !== request.segments?.client_id) {
      throw new InvalidToken('no registration access token of this client', 'Bearer', REALM);
    }
    const { clientId, generation } = access;
    const registration = await selfRegistrations.present(clientId, generation);
    const record = registration && (await clientStore.find(clientId));
    if (record === undefined || registration === undefined) {
      audit.record('registration_access_token_refused', { clientId, generation, requestId: request.requestId });
      throw new InvalidToken('the client is gone, or a newer token of it was used', 'Bearer', REALM);
    }
    return { record, registration, generation };
  }

  async function update(registrant: Registrant, members: JsonMembers, { requestId }: ProtocolRequest): Promise<ProtocolResponse> {
    const { record, registration } = registrant;
    refuseOthers(record, members, clock.now());
    // The statement that is registered was in date when it was taken, be that at the registration or at a change. A new one must be so now.
    const isSame = registration.softwareStatement !== undefined && members['software_statement'] === registration.softwareStatement;
    const application = await apply(members, isSame ? undefined : clock.now());
    const { softwareStatement } = application;
    const updated = await registrationWithin(registration.allowance, {
      async replace(changed) {
        const weaker = weakerMember(record.metadata, changed.metadata);
        if (weaker !== undefined) {
          throw new InvalidClientMetadata(weaker);
        }
        return selfRegistrations.replace({ ...changed, registeredItself: markOf(registration.by, application) }, softwareStatement);
      },
    }).update(record.id, application.members);
    clients.forget();
    audit.record('client_updated', { clientId: record.id, requestId });
    return told(registrant, updated, softwareStatement);
  }

  /** Section 2.3: with the client go its grants, and with them its codes and tokens. */
  async function remove({ record }: Registrant, { requestId }: ProtocolRequest): Promise<ProtocolResponse> {
    await clientStore.delete(record.id);
    clients.forget();
    audit.record('client_deleted', { clientId: record.id, requestId });
    return { kind: 'empty', status: 204 };
  }

  function told(
    { generation }: Registrant,
    registered: Parameters<typeof information>[0],
    softwareStatement: string | undefined,
  ): ProtocolResponse {
    return { kind: 'json', status: 200, body: information(registered, softwareStatement, generation + 1) };
  }
}

const REALM = 'registration';

const NOT_SENT = ['registration_access_token', 'registration_client_uri', 'client_secret_expires_at', 'client_id_issued_at'];

/** Section 2.2: what a client sends to change its metadata, and what it must not send. */
function refuseOthers(record: ClientRecord, members: JsonMembers, now: number): void {
  const { client_id: id, client_secret: secret } = members;
  if (id !== record.id) {
    throw new InvalidClientMetadata('client_id: must be given, and be the one of this address (RFC 7592 section 2.2).');
  }
  const sent = NOT_SENT.find((name) => members[name] !== undefined);
  if (sent !== undefined) {
    throw new InvalidClientMetadata(`${sent}: must not be sent; it is this server's to say (RFC 7592 section 2.2).`);
  }
  if (secret !== undefined) {
    const live = record.secrets.filter(({ expiresAt }) => expiresAt === undefined || now < expiresAt);
    const presented = typeof secret === 'string' ? digest(secret) : '';
    if (!live.some((one) => equalInConstantTime(one.digest, presented))) {
      throw new InvalidClientMetadata('client_secret: must be the one that was issued, or left out; it cannot be chosen.');
    }
  }
}
