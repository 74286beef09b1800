import { assemble } from './assemble.ts';
import { cachedDetailTypes } from './authorization-details/detail-types.ts';
import { buildRooms } from './build-rooms.ts';
import type { Config } from './config/config.ts';
import { generateSecret } from './core/secrets.ts';
import { deliveryWorker } from './deliveries/delivery-worker.ts';
import { features } from './features.ts';
import { createHttpServer } from './http/http-server.ts';
import { ofThisProcess } from './keys/pool-signatures.ts';
import { noLimits, requestLimits } from './limits/request-limits.ts';
import { outbound } from './outbound/outbound.ts';
import { errorPage } from './pages/error-page.ts';
import { chooseLanguage } from './pages/languages.ts';
import { stylesheetSource } from './pages/stylesheet.ts';
import { prepareClients } from './prepare-clients.ts';
import { prepareServer, type Surroundings } from './prepare-server.ts';
import { readiness } from './readiness.ts';
import { cachedResources } from './resources/registered-resources.ts';
import { statusLists } from './status-lists/status-lists.ts';
import { statusReferences } from './status-lists/status-references.ts';
import { announceRevocations } from './storage/announced-revocations.ts';
import { checkDatabase } from './storage/health.ts';
import { keepClients } from './storage/kept-clients.ts';
import { subjectsWith } from './tokens/subjects.ts';
import { cachedTrustedIssuers } from './trusted-issuers/trusted-issuers.ts';
import { startUpkeep } from './upkeep.ts';

/** A server that answers. */
export interface RunningServer {
  readonly issuer: string;
  /** Where it listens: scheme, address and port. */
  readonly url: string;
  /** Stops accepting, finishes what is in flight, writes what was accepted, and lets go of everything. */
  close(deadlineMilliseconds?: number): Promise<void>;
}

/**
 * Starts a server: the only place that knows all rooms.
 * @throws DatabaseOpenError, KeyDirectoryError with one clear line; the system's error when the port cannot be had.
 */
export async function startServer(config: Config, surroundings: Surroundings): Promise<RunningServer> {
  const { logger, clock } = surroundings;
  const { port, tls, scheme, issuer, database, repositories: records, keys } = await prepareServer(config, surroundings);
  try {
    const references = statusReferences({
      issuer,
      secret: await records.serverValues.findOrMake('status_list_secret', generateSecret),
    });
    const lists = config.features.has('status-list')
      ? statusLists({
          issuer,
          references,
          keys,
          algorithms: config.signingAlgorithms,
          entries: records.statusEntries,
          changes: records.statusChanges,
          ttlSeconds: config.statusListSeconds,
          longestTokenSeconds: config.lifetimes.accessTokenMaxSeconds,
          clock,
        })
      : undefined;
    const announced = lists === undefined ? records : announceRevocations(records, lists.changed);
    await lists?.start();
    const limits = config.rateLimits ? requestLimits({ clock, audit: surroundings.audit }) : noLimits;
    const clients = prepareClients({ config, repositories: announced, limits, clock, audit: surroundings.audit });
    const repositories = keepClients(announced, clients.keep);
    const resources = cachedResources(repositories.resourceStore);
    const detailTypes = cachedDetailTypes(repositories.detailTypeStore);
    const trustedIssuers = cachedTrustedIssuers(repositories.trustedIssuerStore);
    const subjects = subjectsWith(await repositories.serverValues.findOrMake('pairwise_salt', generateSecret));
    const rooms = buildRooms({
      config,
      tls,
      issuer,
      repositories,
      keys,
      limits,
      clients,
      resources,
      detailTypes,
      trustedIssuers,
      subjects,
      references,
      statusLists: lists,
      clock,
      audit: surroundings.audit,
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
      limits: rooms.limits,
      issuer,
      log: logger,
      waitForThreads: ofThisProcess.wait,
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
    const upkeep = startUpkeep({
      config,
      database,
      keys,
      clients,
      resources,
      detailTypes,
      trustedIssuers,
      deliveries,
      statusLists: lists,
      eventStreams: repositories.eventStreams,
      clientUses: rooms.clientUses,
      limits: rooms.limits,
      sharedRates: repositories.sharedRates,
      audit: surroundings.audit,
      clock,
      logger,
    });
    const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
    return {
      issuer,
      url: `${scheme}://${host}:${address.port}`,
      async close(deadlineMilliseconds = 8000) {
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
