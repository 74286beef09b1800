import { looksLikeRegistrationToken, type RegistrationToken } from '../clients/self-registration.ts';
import type { Endpoint, ProtocolRequest } from '../core/endpoint.ts';
import { OAuthError } from '../core/errors.ts';
import { digest } from '../core/secrets.ts';
import { jsonMembers } from '../signals/json-members.ts';
import { InvalidToken, presentedAccessToken } from '../tokens/presented-access-token.ts';
import { markOf, REGISTRATION_PATH, type SelfRegistrationRooms, selfRegistrationRules } from './self-registration.ts';

/** RFC 7591 section 3: clients register themselves, with an initial access token or, where the operator lets them, without. */
export function registrationEndpoint(rooms: SelfRegistrationRooms): Endpoint {
  const { clock, audit, limits, registrationTokens, selfRegistrations, registrationPolicy } = rooms;
  const { apply, registrationWithin, information } = selfRegistrationRules(rooms);

  return {
    path: REGISTRATION_PATH,
    methods: ['POST'],
    body: 'json',
    metadataName: 'registration_endpoint',
    crossOrigin: true,
    async handle(request) {
      limits.registration(request);
      const token = await initialAccess(request);
      const by = token === undefined ? 'anonymous' : 'token';
      const now = clock.now();
      const application = await apply(jsonMembers(request.json), now);
      const { softwareStatement } = application;
      const registration = registrationWithin(token?.allowance, {
        async create(record) {
          const outcome = await selfRegistrations.create(
            { ...record, registeredItself: markOf(by, application) },
            { by, allowance: token?.allowance, softwareStatement },
            {
              tokenId: token?.id,
              most: registrationPolicy.mostAnonymous,
              expiresUnusedAt: now + (token === undefined ? UNUSED_ANONYMOUS_SECONDS : registrationPolicy.unusedSeconds),
              now,
            },
          );
          if (outcome === 'spent') {
            throw new InvalidToken('the initial access token has no use left', 'Bearer', REALM);
          }
          if (outcome === 'full') {
            throw new TooManyClients();
          }
          return outcome === 'created';
        },
      });
      const registered = await registration.create(application.members);
      const { requestId, remoteAddress } = request;
      audit.record('client_registered', { clientId: registered.record.id, by, tokenId: token?.id, remoteAddress, requestId });
      return { kind: 'json', status: 201, body: information(registered, softwareStatement, 1) };
    },
  };

  /** @returns undefined where none is needed, and none came. @throws InvalidToken */
  async function initialAccess(request: ProtocolRequest): Promise<RegistrationToken | undefined> {
    if (request.headers.authorization === undefined && registrationPolicy.isOpen) {
      return undefined;
    }
    const { token, scheme } = presentedAccessToken(request, REALM);
    const found = scheme === 'Bearer' && looksLikeRegistrationToken(token) ? await registrationTokens.find(digest(token)) : undefined;
    if (found === undefined || found.usesLeft === 0 || found.expiresAt <= clock.now()) {
      throw new InvalidToken('unknown, used up or expired', 'Bearer', REALM);
    }
    limits.registrationToken(found.id, request);
    return found;
  }
}

const REALM = 'registration';

// A client registers because it is about to be used. What is not used within a day is what floods are made of.
const UNUSED_ANONYMOUS_SECONDS = 86_400;

/** There are as many clients that nobody vouches for as the operator allows (REGISTERED_CLIENTS_MAX). */
class TooManyClients extends OAuthError {
  readonly code = 'temporarily_unavailable';
  override readonly status = 503;
  override readonly headers = { 'retry-after': '3600' };

  constructor() {
    super('As many clients are registered here as there may be: try again later, or with an initial access token.');
  }
}
