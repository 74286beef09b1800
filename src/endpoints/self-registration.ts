import type { RegistrationLimits } from '../clients/client-metadata-rules.ts';
import type { ClientRecord, ClientStore, RegisteredItself } from '../clients/client-store.ts';
import { clientRegistration, type Registration } from '../clients/registration.ts';
import type { SelfRegisteredPolicy } from '../clients/self-registered-policy.ts';
import type { RegistrationAllowance, RegistrationTokens, SelfRegistration, SelfRegistrations } from '../clients/self-registration.ts';
import { allowanceOf, limitsForSelfRegistration } from '../clients/self-registration-policy.ts';
import type { SoftwarePublishers } from '../clients/software-publisher.ts';
import { provenStatement } from '../clients/software-statement.ts';
import type { RegistrationConfig } from '../config/config.ts';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock, EpochSeconds } from '../core/clock.ts';
import { TemporarilyUnavailable } from '../core/errors.ts';
import { parseScope } from '../core/scope.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import type { RequestLimits } from '../limits/request-limits.ts';
import { boundedFetches, TooManyFetches } from '../outbound/bounded-fetches.ts';
import { discreetOutbound } from '../outbound/discreet.ts';
import { type Outbound, ofStrangers, outbound } from '../outbound/outbound.ts';
import { type RegistrationAccessTokens, registrationAccessTokens } from '../tokens/registration-access-token.ts';
import { clientInformation } from './client-information.ts';

/** What the endpoints of RFC 7591 and RFC 7592 are built from. */
export interface SelfRegistrationRooms {
  readonly issuer: string;
  readonly clock: Clock;
  readonly audit: AuditTrail;
  readonly limits: Pick<RequestLimits, 'registration' | 'registrationToken' | 'publicClient'>;
  readonly keys: { readonly secrets: ServerSecrets };
  readonly clients: { forget(): void };
  readonly clientStore: ClientStore;
  readonly selfRegistrations: SelfRegistrations;
  readonly registrationTokens: Pick<RegistrationTokens, 'find'>;
  readonly softwarePublishers: Pick<SoftwarePublishers, 'find'>;
  readonly registrationPolicy: RegistrationConfig;
  readonly selfRegisteredPolicy: SelfRegisteredPolicy;
  readonly registrationLimits: RegistrationLimits;
  readonly privateAddresses: boolean;
}

/** Of the registration endpoint, below the issuer; each client's own address is below it. */
export const REGISTRATION_PATH = '/register';

/** Metadata as it is to be registered, and what else is known of it. */
export interface Application {
  readonly members: Readonly<Record<string, unknown>>;
  readonly softwareStatement: string | undefined;
  readonly nameVouchedFor: string | undefined;
}

/** What both endpoints do alike. */
export interface SelfRegistrationRules {
  readonly tokens: RegistrationAccessTokens;
  /**
   * Takes in the software statement: what it says counts before what stands beside it (RFC 7591 section 2.3).
   * @param statementAt when a statement must be in date; undefined: it was taken before.
   * @throws InvalidSoftwareStatement, UnapprovedSoftwareStatement
   */
  apply(members: Readonly<Record<string, unknown>>, statementAt: EpochSeconds | undefined): Promise<Application>;
  /** The one way in which clients are made and changed, within an allowance. @param store what of the records is to be written otherwise. */
  registrationWithin(allowance: RegistrationAllowance | undefined, store: Partial<ClientStore>): Registration;
  /** @param generation of the token that comes with it. */
  information(
    registered: { readonly record: ClientRecord; readonly secret: string | undefined },
    softwareStatement: string | undefined,
    generation: number,
  ): Readonly<Record<string, unknown>>;
}

export function selfRegistrationRules(rooms: SelfRegistrationRooms): SelfRegistrationRules {
  const { issuer, clock, keys, clientStore, softwarePublishers, selfRegisteredPolicy, registrationLimits, privateAddresses } = rooms;
  const tokens = registrationAccessTokens(keys.secrets);
  const send = bounded(discreetOutbound(ofStrangers(outbound({ privateAddresses }))));
  const { scope, resources } = selfRegisteredPolicy;
  const everybody = { scope: parseScope(scope), resources, grantTypes: EVERYBODYS_GRANT_TYPES };

  return {
    tokens,
    async apply(members, statementAt) {
      const { software_statement: statement, ...plain } = withoutOurs(members);
      if (statement === undefined || statement === null) {
        return { members: plain, softwareStatement: undefined, nameVouchedFor: undefined };
      }
      const { text, publisher, claims } = await provenStatement(statement, { softwarePublishers, issuer, now: statementAt });
      return {
        members: { ...plain, ...withoutOurs(claims) },
        softwareStatement: text,
        nameVouchedFor: typeof claims.client_name === 'string' ? publisher.name : undefined,
      };
    },
    registrationWithin: (allowance, store) =>
      clientRegistration({
        store: { ...clientStore, ...store },
        limits: limitsForSelfRegistration(registrationLimits, allowanceOf(everybody, allowance)),
        clock,
        outbound: send,
        serverSecrets: async () => keys.secrets,
      }),
    information: ({ record, secret }, softwareStatement, generation) =>
      clientInformation({
        record,
        secret,
        softwareStatement,
        registrationAccessToken: tokens.mint({ clientId: record.id, generation }),
        registrationClientUri: `${issuer}${REGISTRATION_PATH}/${encodeURIComponent(record.id)}`,
      }),
  };
}

/** An address that never answers is waited for by no more registrations than can be spared. @throws TemporarilyUnavailable */
function bounded(send: Outbound): Outbound {
  const fetches = boundedFetches({ most: 20, mostOfHost: 4 });
  return async (request) => {
    try {
      return await fetches(new URL(request.url).host, () => send(request));
    } catch (error) {
      throw error instanceof TooManyFetches
        ? new TemporarilyUnavailable('Too many addresses of clients are being looked at: try again.', error.message)
        : error;
    }
  };
}

/** The mark on a client that registered itself. */
export function markOf(by: SelfRegistration['by'], { nameVouchedFor }: Application): RegisteredItself {
  return { by, ...(nameVouchedFor === undefined ? {} : { nameVouchedFor }) };
}

// Those that end in what a user allowed. To act for itself (client_credentials) a client needs the operator's word.
const EVERYBODYS_GRANT_TYPES = ['authorization_code', 'refresh_token'];

// RFC 7591 section 3.2.1, RFC 7592 section 3: the server's to say, and no metadata.
const OURS = [
  'client_id',
  'client_secret',
  'client_id_issued_at',
  'client_secret_expires_at',
  'registration_access_token',
  'registration_client_uri',
];

function withoutOurs(members: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(members).filter(([name]) => !OURS.includes(name)));
}
