import type { X509Certificate } from 'node:crypto';
import type { LoginAttempt, LoginOutcome } from './accounts/authenticate-user.ts';
import type { SecondFactors } from './accounts/second-factor.ts';
import type { TotpEnrolment } from './accounts/totp-enrolment.ts';
import type { Users } from './accounts/user.ts';
import type { SecondFactorVerifier } from './accounts/verify-second-factor.ts';
import type { CodeIssuer } from './authorization/code-issuer.ts';
import type { PushedRequests } from './authorization/pushed-requests.ts';
import type { DetailRequests } from './authorization-details/detail-requests.ts';
import type { DetailTypes } from './authorization-details/detail-types.ts';
import type { AnswerEncryption } from './clients/answer-encryption.ts';
import type { ClientKeys } from './clients/client-keys.ts';
import type { RegistrationLimits } from './clients/client-metadata-rules.ts';
import type { ClientStore } from './clients/client-store.ts';
import type { ClientUses } from './clients/client-uses.ts';
import type { Clients } from './clients/clients.ts';
import type { SelfRegisteredPolicy } from './clients/self-registered-policy.ts';
import type { RegistrationTokens, SelfRegistrations } from './clients/self-registration.ts';
import type { SoftwarePublishers } from './clients/software-publisher.ts';
import type { BackchannelConfig, Lifetimes, RegistrationConfig, SigningAlgorithm } from './config/config.ts';
import type { EnabledFeatures } from './config/feature-switches.ts';
import type { AuditTrail } from './core/audit.ts';
import type { Clock } from './core/clock.ts';
import type { DeferredCredentials } from './deferred-requests/deferred-credentials.ts';
import type { DeferredRequests } from './deferred-requests/deferred-request.ts';
import type { UserCodes } from './deferred-requests/user-codes.ts';
import type { Grants } from './grants/grants.ts';
import type { AppSessions } from './interaction/app-sessions.ts';
import type { BrowserSessions } from './interaction/browser-sessions.ts';
import type { Consents } from './interaction/consents.ts';
import type { DeferredAnswers } from './interaction/deferred-answers.ts';
import type { Forms } from './interaction/forms.ts';
import type { HalfDoneLogins } from './interaction/half-done-login.ts';
import type { InteractionPages, InteractionPaths } from './interaction/interaction-pages.ts';
import type { LogoutRequests } from './interaction/logout-request.ts';
import type { PendingRequests } from './interaction/pending-request.ts';
import type { SecondFactorPages } from './interaction/second-factor-pages.ts';
import type { Sessions } from './interaction/session.ts';
import type { KeyRing } from './keys/key-ring.ts';
import type { OwnDecryption } from './keys/own-decryption.ts';
import type { RequestLimits } from './limits/request-limits.ts';
import type { Resources } from './resources/registered-resources.ts';
import type { EventStreams } from './signals/event-stream.ts';
import type { SecurityEventTokenIssuer } from './signals/security-event-token.ts';
import type { StatusLists } from './status-lists/status-lists.ts';
import type { AccessTokenIssuer } from './tokens/access-token.ts';
import type { AccessTokenBacker } from './tokens/access-token-backing.ts';
import type { GrantCredentials } from './tokens/grant-credentials.ts';
import type { IdTokenIssuer } from './tokens/id-token.ts';
import type { LogoutTokenIssuer } from './tokens/logout-token.ts';
import type { AccessTokenReader } from './tokens/own-access-tokens.ts';
import type { IdTokenReader } from './tokens/own-id-tokens.ts';
import type { RevokedAccessTokens } from './tokens/revoked-access-tokens.ts';
import type { Subjects } from './tokens/subjects.ts';
import type { UsedIdentifiers } from './tokens/used-identifiers.ts';
import type { IssuerKeys } from './trusted-issuers/issuer-keys.ts';
import type { SubjectResolver } from './trusted-issuers/subject-resolution.ts';
import type { TrustedIssuers } from './trusted-issuers/trusted-issuers.ts';

/** What the features need to know of client certificates. */
export interface MutualTls {
  /** Those of TLS_CLIENT_CA; undefined: nobody vouches for clients, and only registered certificates count. */
  readonly authorities: readonly X509Certificate[] | undefined;
  /** Stands in for the issuer in `mtls_endpoint_aliases`; undefined: there are none. */
  readonly baseUrl: string | undefined;
}

/** Everything a feature can be built from. Each takes what it needs and no more. */
export interface Rooms {
  readonly issuer: string;
  readonly clock: Clock;
  readonly audit: AuditTrail;
  readonly lifetimes: Lifetimes;
  readonly limits: RequestLimits;
  /** The features with a switch that are on. */
  readonly enabled: EnabledFeatures;
  readonly dpopNonceRequired: boolean;
  /** Client certificates (RFC 8705); undefined: there are none. */
  readonly mutualTls: MutualTls | undefined;
  readonly keys: KeyRing;
  /** SIGNING_ALGS; the first signs where nothing else is asked for. */
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
  readonly clients: Clients;
  readonly clientStore: ClientStore;
  /** Of clients that registered themselves. */
  readonly clientUses: ClientUses;
  readonly selfRegistrations: SelfRegistrations;
  readonly registrationTokens: RegistrationTokens;
  readonly softwarePublishers: SoftwarePublishers;
  readonly registrationPolicy: RegistrationConfig;
  readonly selfRegisteredPolicy: SelfRegisteredPolicy;
  /** What any client can be registered for. */
  readonly registrationLimits: RegistrationLimits;
  /** Of authorization details (RFC 9396). */
  readonly detailTypes: DetailTypes;
  readonly detailRequests: DetailRequests;
  /** Whose assertions count. */
  readonly trustedIssuers: TrustedIssuers;
  readonly issuerKeys: IssuerKeys;
  readonly resolveSubject: SubjectResolver;
  readonly clientKeys: ClientKeys;
  readonly answerEncryption: AnswerEncryption;
  readonly decryption: OwnDecryption;
  readonly resources: Resources;
  readonly users: Users;
  readonly authenticateUser: (attempt: LoginAttempt) => Promise<LoginOutcome>;
  readonly secondFactors: SecondFactors;
  readonly totpEnrolment: TotpEnrolment;
  readonly verifySecondFactor: SecondFactorVerifier;
  readonly grants: Grants;
  readonly credentials: GrantCredentials;
  readonly issueAccessToken: AccessTokenIssuer;
  readonly readAccessToken: AccessTokenReader;
  readonly backingOf: AccessTokenBacker;
  readonly issueIdToken: IdTokenIssuer;
  readonly readIdToken: IdTokenReader;
  readonly subjects: Subjects;
  readonly revokedAccessTokens: RevokedAccessTokens;
  readonly usedIdentifiers: UsedIdentifiers;
  /** undefined: the feature is off. */
  readonly statusLists: StatusLists | undefined;
  readonly issueLogoutToken: LogoutTokenIssuer;
  readonly eventStreams: EventStreams;
  readonly issueSecurityEventToken: SecurityEventTokenIssuer;
  /** Whether requests of this server may go to private addresses (OUTBOUND_PRIVATE_ADDRESSES). */
  readonly privateAddresses: boolean;
  /** Has what is in the outbox delivered now. */
  readonly deliverSoon: () => void;
  readonly issueCode: CodeIssuer;
  readonly deferredRequests: DeferredRequests;
  readonly deferredCredentials: DeferredCredentials;
  readonly deferredAnswers: DeferredAnswers;
  /** How many are kept at once of one client. */
  readonly mostDeferredRequests: number;
  readonly userCodes: UserCodes;
  readonly deviceCodeSeconds: number;
  /** From one poll to the next. */
  readonly devicePollSeconds: number;
  readonly backchannel: BackchannelConfig;
  readonly consents: Consents;
  readonly sessions: BrowserSessions;
  /** Whether the login still lasts that a grant came of (`Authentication.sessionId`). */
  readonly hasLiveSession: Sessions['hasLive'];
  readonly appSessions: AppSessions;
  readonly forms: Forms;
  readonly pendingRequests: PendingRequests;
  readonly logoutRequests: LogoutRequests;
  readonly pushedRequests: PushedRequests;
  readonly pushedRequestSeconds: number;
  /** How many are kept at once of one client. */
  readonly mostPushedRequests: number;
  /** Whether every client must push its authorization requests. */
  readonly requirePushedRequests: boolean;
  readonly halfDoneLogins: HalfDoneLogins;
  readonly pages: InteractionPages;
  readonly secondFactorPages: SecondFactorPages;
  readonly paths: InteractionPaths;
}
