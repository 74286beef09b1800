import { authenticateUser } from './accounts/authenticate-user.ts';
import { createLoginThrottle } from './accounts/login-throttle.ts';
import { createPasswords } from './accounts/password.ts';
import { totpEnrolment } from './accounts/totp-enrolment.ts';
import { secondFactorVerifier } from './accounts/verify-second-factor.ts';
import { issuerPath } from './assemble.ts';
import { codeIssuer } from './authorization/code-issuer.ts';
import { grantRecorder } from './authorization/grant-recorder.ts';
import { detailRequests, noDetailRequests } from './authorization-details/detail-requests.ts';
import type { DetailTypes } from './authorization-details/detail-types.ts';
import { answerEncryption } from './clients/answer-encryption.ts';
import { readPublishedKeySet } from './clients/client-key-set.ts';
import { type ClientKeys, clientKeys, keyFinder } from './clients/client-keys.ts';
import { clientUses } from './clients/client-uses.ts';
import type { Clients } from './clients/clients.ts';
import { registrationLimits } from './clients/registrable.ts';
import type { Config } from './config/config.ts';
import type { TlsFiles } from './config/tls-files.ts';
import type { AuditTrail } from './core/audit.ts';
import type { Clock } from './core/clock.ts';
import { deferredCredentials } from './deferred-requests/deferred-credentials.ts';
import { userCodes } from './deferred-requests/user-codes.ts';
import { appSessions } from './interaction/app-sessions.ts';
import { browserSessions } from './interaction/browser-sessions.ts';
import { deferredAnswers } from './interaction/deferred-answers.ts';
import { forms } from './interaction/forms.ts';
import { halfDoneLogins } from './interaction/half-done-login.ts';
import { interactionPages } from './interaction/interaction-pages.ts';
import { logoutRequests } from './interaction/logout-request.ts';
import { pendingRequests } from './interaction/pending-request.ts';
import { secondFactorPages } from './interaction/second-factor-pages.ts';
import type { KeyRing } from './keys/key-ring.ts';
import { ownDecryption } from './keys/own-decryption.ts';
import { ownTokens } from './keys/own-tokens.ts';
import type { RequestLimits } from './limits/request-limits.ts';
import { cachedDocuments } from './outbound/cached-documents.ts';
import { fetchJson } from './outbound/json-document.ts';
import { type Outbound, ofStrangers, outbound } from './outbound/outbound.ts';
import type { Resources } from './resources/registered-resources.ts';
import type { Rooms } from './rooms.ts';
import { securityEventTokenIssuer } from './signals/security-event-token.ts';
import type { StatusLists } from './status-lists/status-lists.ts';
import type { StatusReferences } from './status-lists/status-references.ts';
import type { Repositories } from './storage/repositories.ts';
import { accessTokenIssuer } from './tokens/access-token.ts';
import { accessTokenBacker } from './tokens/access-token-backing.ts';
import { grantCredentials } from './tokens/grant-credentials.ts';
import { idTokenIssuer } from './tokens/id-token.ts';
import { logoutTokenIssuer } from './tokens/logout-token.ts';
import { accessTokenReader } from './tokens/own-access-tokens.ts';
import { idTokenReader } from './tokens/own-id-tokens.ts';
import type { Subjects } from './tokens/subjects.ts';
import { issuerKeys } from './trusted-issuers/issuer-keys.ts';
import { subjectResolver } from './trusted-issuers/subject-resolution.ts';
import type { TrustedIssuers } from './trusted-issuers/trusted-issuers.ts';

/** Builds what the features are made of, out of the configuration and the records. */
export function buildRooms(parts: {
  readonly config: Config;
  readonly tls: TlsFiles;
  readonly issuer: string;
  readonly repositories: Repositories;
  readonly keys: KeyRing;
  readonly limits: RequestLimits;
  readonly clients: Clients;
  readonly resources: Resources;
  readonly detailTypes: DetailTypes;
  readonly trustedIssuers: TrustedIssuers;
  readonly subjects: Subjects;
  readonly references: StatusReferences;
  readonly statusLists: StatusLists | undefined;
  readonly deliverSoon: () => void;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}): Rooms {
  const { config, tls, issuer, repositories, keys, limits, clients, resources, detailTypes, subjects, references, statusLists } = parts;
  const { deliverSoon, clock, audit, trustedIssuers } = parts;
  const { lifetimes } = config;
  const { secrets } = keys;
  const base = issuerPath(issuer);
  const paths = {
    login: `${base}/login`,
    secondFactor: `${base}/login/second-factor`,
    enrolment: `${base}/login/second-factor/enrolment`,
    consent: `${base}/consent`,
    logout: `${base}/logout`,
    resume: `${base}/authorize/resume`,
    device: `${base}/device`,
    approvals: `${base}/ciba`,
  };
  const credentials = grantCredentials(secrets);
  const recordGrant = grantRecorder({ grants: repositories.grants, lifetimes, audit });
  const browserForms = forms(secrets, new URL(issuer).origin);
  const pending = pendingRequests({
    secrets,
    ...repositories,
    isOn: (kind) => config.features.has(kind === 'ciba' ? 'ciba' : 'device-authorization'),
  });
  const tokens = ownTokens(keys);
  const pages = interactionPages({
    paths,
    forms: browserForms,
    pendingRequests: pending,
    users: repositories.users,
    resources,
    detailTypes,
  });
  const enrolment = totpEnrolment({ ...repositories, secrets, clock });
  const decryption = ownDecryption(keys);
  const readIdToken = idTokenReader({ issuer, tokens, decryption });
  const keysOfAllClients = keysOfClients(config, clock);
  const encryption = answerEncryption({ clientKeys: keysOfAllClients, isOn: config.features.has('encryption') });
  return {
    ...repositories,
    issuer,
    clock,
    audit,
    lifetimes,
    limits,
    enabled: config.features,
    keys,
    algorithms: config.signingAlgorithms,
    subjects,
    statusLists,
    dpopNonceRequired: config.dpopNonceRequired,
    mutualTls: config.mutualTls && { authorities: tls.clientAuthorities?.certificates, baseUrl: config.mutualTls.baseUrl },
    pushedRequestSeconds: config.pushedRequestSeconds,
    requirePushedRequests: config.requirePushedRequests,
    mostPushedRequests: config.mostPushedRequests,
    clients,
    clientUses: clientUses({ ...repositories, unusedSeconds: config.registration.unusedSeconds, clock }),
    registrationPolicy: config.registration,
    selfRegisteredPolicy: config.selfRegistered,
    registrationLimits: registrationLimits(config),
    detailTypes,
    detailRequests: config.features.has('authorization-details') ? detailRequests(detailTypes) : noDetailRequests,
    resources,
    trustedIssuers,
    issuerKeys: issuerKeys({ privateAddresses: config.outboundPrivateAddresses, clock }),
    resolveSubject: subjectResolver(repositories),
    clientKeys: keysOfAllClients,
    answerEncryption: encryption,
    decryption,
    credentials,
    paths,
    forms: browserForms,
    pendingRequests: pending,
    authenticateUser: authenticateUser({
      users: repositories.users,
      secondFactors: config.features.has('second-factors') ? repositories.secondFactors : undefined,
      throttle: createLoginThrottle({ store: repositories.loginAttempts, clock }),
      passwords: createPasswords(),
      audit,
    }),
    totpEnrolment: enrolment,
    verifySecondFactor: secondFactorVerifier({
      ...repositories,
      throttle: createLoginThrottle({ store: repositories.loginAttempts, clock, guessed: 'second factor' }),
      secrets,
      clock,
      audit,
    }),
    halfDoneLogins: halfDoneLogins(secrets),
    issueAccessToken: accessTokenIssuer({
      issuer,
      keys,
      algorithms: config.signingAlgorithms,
      lifetimes,
      resources,
      notBefore: config.accessTokenNotBefore,
      subjects,
      statusLists,
    }),
    issueIdToken: idTokenIssuer({
      issuer,
      keys,
      algorithms: config.signingAlgorithms,
      lifetimes,
      subjects,
      users: repositories.users,
      answerEncryption: encryption,
    }),
    readAccessToken: accessTokenReader({ issuer, tokens, references }),
    backingOf: accessTokenBacker({ ...repositories, clients, statusLists }),
    issueLogoutToken: logoutTokenIssuer({ issuer, keys, algorithms: config.signingAlgorithms, subjects, answerEncryption: encryption }),
    issueSecurityEventToken: securityEventTokenIssuer({ issuer, keys, algorithms: config.signingAlgorithms, subjects }),
    privateAddresses: config.outboundPrivateAddresses,
    deliverSoon,
    readIdToken,
    logoutRequests: logoutRequests({ clients, readIdToken, secrets }),
    issueCode: codeIssuer({ recordGrant, credentials, lifetimes }),
    deferredAnswers: deferredAnswers({ ...repositories, recordGrant, clock, audit, deliverSoon }),
    deferredCredentials: deferredCredentials(secrets),
    mostDeferredRequests: config.mostDeferredRequests,
    userCodes: userCodes({ ...repositories, attempts: repositories.loginAttempts, secrets, clock }),
    deviceCodeSeconds: config.deviceCodeSeconds,
    devicePollSeconds: config.devicePollSeconds,
    backchannel: config.backchannel,
    sessions: browserSessions({
      sessions: repositories.sessions,
      secrets,
      idleSeconds: lifetimes.sessionIdleSeconds,
      absoluteSeconds: lifetimes.sessionAbsoluteSeconds,
      onEnd: deliverSoon,
    }),
    hasLiveSession: (sid, now) => repositories.sessions.hasLive(sid, now),
    appSessions: appSessions({
      sessions: repositories.sessions,
      idleSeconds: lifetimes.sessionIdleSeconds,
      absoluteSeconds: lifetimes.sessionAbsoluteSeconds,
    }),
    pages,
    secondFactorPages: secondFactorPages({
      ...repositories,
      issuer,
      paths,
      forms: browserForms,
      pendingRequests: pending,
      totpEnrolment: enrolment,
      pages,
    }),
  };
}

/** Keys of clients, fetched where they publish them. */
function keysOfClients({ outboundPrivateAddresses }: Config, clock: Clock): ClientKeys {
  const send = outbound({ privateAddresses: outboundPrivateAddresses });
  const keySets = (by: Outbound) =>
    cachedDocuments({
      fetch: (url) => fetchJson(by, url),
      read: (document) => keyFinder(readPublishedKeySet(document)),
      clock,
    });
  return clientKeys({ publishedKeySets: keySets(send), strangersKeySets: keySets(ofStrangers(send)) });
}
