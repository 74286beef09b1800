import type { Logger } from 'pino';
import { authenticateUser } from './accounts/authenticate-user.ts';
import { ACCOUNT_POLICY, createLoginThrottle } from './accounts/login-throttle.ts';
import { createPasswords } from './accounts/password.ts';
import { assemble, issuerPath } from './assemble.ts';
import { codeIssuer } from './authorization/code-issuer.ts';
import { readPublishedKeySet } from './clients/client-key-set.ts';
import { type ClientKeys, clientKeys, keyFinder } from './clients/client-keys.ts';
import { cachedClients } from './clients/clients.ts';
import type { Config } from './config/config.ts';
import { readTlsFiles, type TlsFiles } from './config/tls-files.ts';
import type { AuditTrail } from './core/audit.ts';
import type { Clock } from './core/clock.ts';
import { generateSecret } from './core/secrets.ts';
import { type DeliveryWorker, deliveryWorker } from './deliveries/delivery-worker.ts';
import { features } from './features.ts';
import { freePort } from './free-port.ts';
import { createHttpServer } from './http/http-server.ts';
import { browserSessions } from './interaction/browser-sessions.ts';
import { forms } from './interaction/forms.ts';
import { interactionPages } from './interaction/interaction-pages.ts';
import { logoutRequests } from './interaction/logout-request.ts';
import { pendingRequests } from './interaction/pending-request.ts';
import { readKeyDirectory } from './keys/key-directory.ts';
import { KeyDirectoryError } from './keys/key-directory-error.ts';
import type { KeyRing } from './keys/key-ring.ts';
import { keySettings } from './keys/key-settings.ts';
import { openKeyRing } from './keys/open-key-ring.ts';
import { ownTokens } from './keys/own-tokens.ts';
import { cachedDocuments } from './outbound/cached-documents.ts';
import { fetchJson } from './outbound/json-document.ts';
import { outbound } from './outbound/outbound.ts';
import { errorPage } from './pages/error-page.ts';
import { chooseLanguage } from './pages/languages.ts';
import { stylesheetSource } from './pages/stylesheet.ts';
import { readiness } from './readiness.ts';
import type { Rooms } from './rooms.ts';
import { cleanupOf } from './storage/cleanup.ts';
import type { Database } from './storage/database.ts';
import { checkDatabase } from './storage/health.ts';
import { migrateUp } from './storage/migrate.ts';
import { openDatabase } from './storage/open-database.ts';
import type { Repositories } from './storage/repositories.ts';
import { repositoriesIn } from './storage/repositories.ts';
import { changeWatcher } from './storage/revisions.ts';
import { timers } from './timers.ts';
import { accessTokenIssuer } from './tokens/access-token.ts';
import { accessTokenBacker } from './tokens/access-token-backing.ts';
import { grantCredentials } from './tokens/grant-credentials.ts';
import { idTokenIssuer } from './tokens/id-token.ts';
import { logoutTokenIssuer } from './tokens/logout-token.ts';
import { accessTokenReader } from './tokens/own-access-tokens.ts';
import { idTokenReader } from './tokens/own-id-tokens.ts';
import { type Subjects, subjectsWith } from './tokens/subjects.ts';

/** What a server is made of that is not its configuration. */
export interface Surroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly audit: AuditTrail;
  /** Called with the open database before the server answers anyone: development puts a demo client there. */
  readonly prepare?: (repositories: Repositories, issuer: string) => Promise<void>;
}

/** A server that answers. */
export interface RunningServer {
  readonly issuer: string;
  /** Where it listens: scheme, address and port. */
  readonly url: string;
  /** Stops accepting, finishes what is in flight, writes what was accepted, and lets go of everything. */
  close(deadlineMilliseconds?: number): Promise<void>;
}

const SECOND = 1000;

/**
 * Starts a server: the only place that knows all rooms.
 * @throws DatabaseOpenError, KeyDirectoryError with one clear line; the system's error when the port cannot be had.
 */
export async function startServer(config: Config, surroundings: Surroundings): Promise<RunningServer> {
  const { logger, clock } = surroundings;
  const port = config.port === 0 ? await freePort(config.host) : config.port;
  const tls = readTlsFiles(config);
  const scheme = tls.identity === undefined ? 'http' : 'https';
  const issuer = config.issuer ?? `${scheme}://localhost:${port}`;
  const database = await openDatabase(config.database);
  try {
    const applied = await migrateUp(database);
    if (applied.length > 0) {
      logger.info({ migrations: applied }, 'migrated');
    }
    const repositories = repositoriesIn(database);
    await refuseLostSecrets(config.keysDirectory, repositories);
    const keys = await openKeyRing({
      directory: config.keysDirectory,
      settings: keySettings(config),
      clock,
      audit: surroundings.audit,
      onProblem: (err) => logger.error({ err }, 'trouble with the key directory; going on with the keys in memory'),
    });
    await surroundings.prepare?.(repositories, issuer);
    const clients = cachedClients(repositories.clientStore);
    const subjects = subjectsWith(await repositories.serverValues.findOrMake('pairwise_salt', generateSecret));
    const rooms = roomsOf({
      config,
      tls,
      issuer,
      repositories,
      keys,
      clients,
      subjects,
      surroundings,
      deliverSoon: () => deliveries.soon(),
    });
    const featureList = features(rooms);
    const deliveries = deliveryWorker({
      ...rooms,
      deliveries: repositories.deliveries,
      kinds: featureList.flatMap((feature) => feature.deliveryKinds ?? []),
      send: outbound({ privateAddresses: config.outboundPrivateAddresses }),
      report: (reason, delivery) => logger.warn({ delivery, reason }, 'a delivery failed; it is tried again'),
    });
    const http = createHttpServer({
      mounted: assemble(featureList, rooms),
      issuer,
      log: logger,
      trustedProxies: config.trustedProxies,
      identity: tls.identity,
      clientCertificates: config.mutualTls && { header: config.mutualTls.certificateHeader, authorities: tls.clientAuthorities?.pem },
      health: readiness({
        checkDatabase: () => checkDatabase(database),
        keys,
        onChange: (err) =>
          err === undefined ? logger.info('the database answers again') : logger.error({ err }, 'the database does not answer'),
      }),
      stylesheetSource,
      errorPage: ({ acceptLanguage, status, code, description, requestId }) =>
        errorPage({ language: chooseLanguage(undefined, acceptLanguage), status, error: code, description, requestId }),
    });
    const address = await http.listen(config.host, port);
    // Last, so that a start that fails leaves no timer behind.
    const upkeep = startUpkeep({ config, database, keys, clients, deliveries, surroundings });
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return {
      issuer,
      url: `${scheme}://${host}:${address.port}`,
      async close(deadlineMilliseconds = 8 * SECOND) {
        // At the same time: each may take seconds, and together they have no more than that.
        await Promise.all([http.close(deadlineMilliseconds), deliveries.stop()]);
        await upkeep.stop();
        await database.close();
      },
    };
  } catch (error) {
    await database.close();
    throw error;
  }
}

function roomsOf(parts: {
  readonly config: Config;
  readonly tls: TlsFiles;
  readonly issuer: string;
  readonly repositories: Repositories;
  readonly keys: KeyRing;
  readonly clients: ReturnType<typeof cachedClients>;
  readonly subjects: Subjects;
  readonly deliverSoon: () => void;
  readonly surroundings: Surroundings;
}): Rooms {
  const { config, tls, issuer, repositories, keys, clients, subjects, deliverSoon, surroundings } = parts;
  const { clock, audit } = surroundings;
  const { lifetimes } = config;
  const { secrets } = keys;
  const base = issuerPath(issuer);
  const paths = { login: `${base}/login`, consent: `${base}/consent`, logout: `${base}/logout`, resume: `${base}/authorize/resume` };
  const credentials = grantCredentials(secrets);
  const browserForms = forms(secrets, new URL(issuer).origin);
  const pending = pendingRequests(secrets);
  const tokens = ownTokens(keys);
  const readIdToken = idTokenReader({ issuer, tokens });
  return {
    ...repositories,
    issuer,
    clock,
    audit,
    lifetimes,
    keys,
    algorithms: config.signingAlgorithms,
    subjects,
    dpopNonceRequired: config.dpopNonceRequired,
    mutualTls: config.mutualTls && { authorities: tls.clientAuthorities?.certificates, baseUrl: config.mutualTls.baseUrl },
    pushedRequestSeconds: config.pushedRequestSeconds,
    requirePushedRequests: config.requirePushedRequests,
    clients,
    clientKeys: keysOfClients(config, clock),
    credentials,
    paths,
    forms: browserForms,
    pendingRequests: pending,
    authenticateUser: authenticateUser({
      users: repositories.users,
      throttle: createLoginThrottle({ store: repositories.loginAttempts, clock }),
      passwords: createPasswords(),
      audit,
    }),
    issueAccessToken: accessTokenIssuer({
      issuer,
      keys,
      algorithms: config.signingAlgorithms,
      lifetimes,
      notBefore: config.accessTokenNotBefore,
      subjects,
    }),
    issueIdToken: idTokenIssuer({ issuer, keys, algorithms: config.signingAlgorithms, lifetimes, subjects, users: repositories.users }),
    readAccessToken: accessTokenReader({ issuer, tokens }),
    backingOf: accessTokenBacker({ ...repositories, clients }),
    issueLogoutToken: logoutTokenIssuer({ issuer, keys, algorithms: config.signingAlgorithms, subjects }),
    readIdToken,
    logoutRequests: logoutRequests({ clients, readIdToken, secrets }),
    issueCode: codeIssuer({ grants: repositories.grants, credentials, lifetimes, audit }),
    sessions: browserSessions({
      sessions: repositories.sessions,
      secrets,
      idleSeconds: lifetimes.sessionIdleSeconds,
      absoluteSeconds: lifetimes.sessionAbsoluteSeconds,
      onEnd: deliverSoon,
    }),
    pages: interactionPages({ paths, forms: browserForms, pendingRequests: pending, users: repositories.users }),
  };
}

/** Keys of clients, fetched where they publish them. */
function keysOfClients({ outboundPrivateAddresses }: Config, clock: Clock): ClientKeys {
  const send = outbound({ privateAddresses: outboundPrivateAddresses });
  return clientKeys({
    publishedKeySets: cachedDocuments({
      fetch: (url) => fetchJson(send, url),
      read: (document) => keyFinder(readPublishedKeySet(document)),
      clock,
    }),
  });
}

/** What goes on beside the requests: keys come and go, other processes change clients, expired records are deleted. */
function startUpkeep(parts: {
  readonly config: Config;
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clients: ReturnType<typeof cachedClients>;
  readonly deliveries: DeliveryWorker;
  readonly surroundings: Surroundings;
}): { stop(): Promise<void> } {
  const { config, database, keys, clients, deliveries, surroundings } = parts;
  const { logger, clock } = surroundings;
  const watcher = changeWatcher(database, { clients: () => clients.forget() });
  const cleanup = cleanupOf(database);
  const work = timers();
  work.every(SECOND, () => keys.reload(), logFailure('keys'));
  work.every(SECOND, () => watcher.poll(), logFailure('changes'));
  work.every(SECOND, () => deliveries.run(), logFailure('deliveries'));
  work.every(60 * SECOND, cleanUp, logFailure('cleanup'));
  return work;

  async function cleanUp(): Promise<void> {
    const deleted = await cleanup.run({
      now: clock.now(),
      keepSeconds: config.lifetimes.accessTokenMaxSeconds,
      forgetAttemptsSeconds: ACCOUNT_POLICY.forgetAfterSeconds,
    });
    logger.debug({ deleted }, 'cleaned up');
  }

  function logFailure(part: string): (error: unknown) => void {
    return (err) => logger.warn({ err, part }, 'upkeep failed; it is tried again');
  }
}

/** A directory that was lost must not be papered over with a new secret: every refresh token in the field would be void, quietly. */
async function refuseLostSecrets(directory: string, { grants }: Repositories): Promise<void> {
  const { hasServerSecret } = await readKeyDirectory(directory);
  if (!hasServerSecret && (await grants.list({}, { limit: 1 })).length > 0) {
    throw new KeyDirectoryError(
      directory,
      'has no server secret (HS256.*.json), but the database has grants made with one. Restore the directory, or start anew with `keyturn key rotate --alg HS256`, which ends them all',
    );
  }
}
