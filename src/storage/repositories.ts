import type { LoginThrottleStore } from '../accounts/login-throttle-store.ts';
import type { SecondFactors } from '../accounts/second-factor.ts';
import type { Users } from '../accounts/user.ts';
import type { PushedRequests } from '../authorization/pushed-requests.ts';
import type { DetailTypeStore } from '../authorization-details/detail-type.ts';
import type { ClientStore } from '../clients/client-store.ts';
import type { DocumentClientStore } from '../clients/document-client-store.ts';
import type { RegistrationTokens, SelfRegistrations } from '../clients/self-registration.ts';
import type { SoftwarePublishers } from '../clients/software-publisher.ts';
import type { DeferredRequests } from '../deferred-requests/deferred-request.ts';
import type { Deliveries } from '../deliveries/delivery.ts';
import type { Grants } from '../grants/grants.ts';
import type { Consents } from '../interaction/consents.ts';
import type { Sessions } from '../interaction/session.ts';
import type { SharedRates } from '../limits/shared-rates.ts';
import type { ResourceStore } from '../resources/resource.ts';
import type { EventStreams } from '../signals/event-stream.ts';
import type { StatusEntries } from '../status-lists/entries.ts';
import type { StatusChanges } from '../status-lists/status-changes.ts';
import type { RevokedAccessTokens } from '../tokens/revoked-access-tokens.ts';
import type { ServerValues } from '../tokens/server-values.ts';
import type { UsedIdentifiers } from '../tokens/used-identifiers.ts';
import type { TrustedIssuerStore } from '../trusted-issuers/trusted-issuer.ts';
import { clientsIn } from './clients.ts';
import { consentsIn } from './consents.ts';
import type { Database } from './database.ts';
import { deferredRequestsIn } from './deferred-requests.ts';
import { deliveriesIn } from './deliveries.ts';
import { detailTypesIn } from './detail-types.ts';
import { documentClientsIn } from './document-clients.ts';
import { eventStreamsIn } from './event-streams.ts';
import { grantsIn } from './grants.ts';
import { loginAttemptsIn } from './login-attempts.ts';
import { pushedRequestsIn } from './pushed-requests.ts';
import { sharedRatesIn } from './rate-limits.ts';
import { registrationTokensIn } from './registration-tokens.ts';
import { resourcesIn } from './resources.ts';
import { revokedAccessTokensIn } from './revoked-access-tokens.ts';
import { secondFactorsIn } from './second-factors.ts';
import { selfRegistrationsIn } from './self-registrations.ts';
import { serverValuesIn } from './server-values.ts';
import { sessionsIn } from './sessions.ts';
import { softwarePublishersIn } from './software-publishers.ts';
import { statusChangesIn } from './status-changes.ts';
import { statusEntriesIn } from './status-entries.ts';
import { trustedIssuersIn } from './trusted-issuers.ts';
import { usedIdentifiersIn } from './used-identifiers.ts';
import { usersIn } from './users.ts';

/** One of each record's repository, all in one database. */
export interface Repositories {
  readonly clientStore: ClientStore;
  readonly documentClientStore: DocumentClientStore;
  readonly resourceStore: ResourceStore;
  readonly detailTypeStore: DetailTypeStore;
  readonly trustedIssuerStore: TrustedIssuerStore;
  readonly users: Users;
  readonly secondFactors: SecondFactors;
  readonly grants: Grants;
  readonly sessions: Sessions;
  readonly consents: Consents;
  readonly revokedAccessTokens: RevokedAccessTokens;
  readonly usedIdentifiers: UsedIdentifiers;
  readonly pushedRequests: PushedRequests;
  readonly deferredRequests: DeferredRequests;
  readonly serverValues: ServerValues;
  readonly loginAttempts: LoginThrottleStore;
  readonly deliveries: Deliveries;
  readonly statusEntries: StatusEntries;
  readonly statusChanges: StatusChanges;
  readonly eventStreams: EventStreams;
  readonly sharedRates: SharedRates;
  readonly selfRegistrations: SelfRegistrations;
  readonly registrationTokens: RegistrationTokens;
  readonly softwarePublishers: SoftwarePublishers;
}

/** Make them once for a database: concurrent writes of one process are gathered in them. */
export function repositoriesIn(database: Database): Repositories {
  const statusEntries = statusEntriesIn(database);
  return {
    clientStore: clientsIn(database),
    documentClientStore: documentClientsIn(database),
    resourceStore: resourcesIn(database),
    detailTypeStore: detailTypesIn(database),
    trustedIssuerStore: trustedIssuersIn(database),
    users: usersIn(database),
    secondFactors: secondFactorsIn(database),
    grants: grantsIn(database, statusEntries),
    sessions: sessionsIn(database),
    consents: consentsIn(database),
    revokedAccessTokens: revokedAccessTokensIn(database),
    usedIdentifiers: usedIdentifiersIn(database),
    pushedRequests: pushedRequestsIn(database),
    deferredRequests: deferredRequestsIn(database),
    serverValues: serverValuesIn(database),
    loginAttempts: loginAttemptsIn(database),
    deliveries: deliveriesIn(database),
    statusEntries,
    statusChanges: statusChangesIn(database),
    eventStreams: eventStreamsIn(database),
    sharedRates: sharedRatesIn(database),
    selfRegistrations: selfRegistrationsIn(database),
    registrationTokens: registrationTokensIn(database),
    softwarePublishers: softwarePublishersIn(database),
  };
}
