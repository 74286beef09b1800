import type { Logger } from 'pino';
import { ACCOUNT_POLICY } from './accounts/login-throttle.ts';
import type { DetailTypes } from './authorization-details/detail-types.ts';
import type { ClientUses } from './clients/client-uses.ts';
import type { Clients } from './clients/clients.ts';
import type { Config } from './config/config.ts';
import type { AuditTrail } from './core/audit.ts';
import type { Clock } from './core/clock.ts';
import type { DeliveryWorker } from './deliveries/delivery-worker.ts';
import type { KeyRing } from './keys/key-ring.ts';
import type { RequestLimits } from './limits/request-limits.ts';
import type { SharedRates } from './limits/shared-rates.ts';
import type { Resources } from './resources/registered-resources.ts';
import type { EventStreams } from './signals/event-stream.ts';
import { MOST_WAITING_EVENTS } from './signals/security-event.ts';
import type { StatusLists } from './status-lists/status-lists.ts';
import { type ChangeNotices, listenForChanges } from './storage/change-notices.ts';
import { cleanupOf } from './storage/cleanup.ts';
import type { Database } from './storage/database.ts';
import { changeWatcher } from './storage/revisions.ts';
import { timers } from './timers.ts';
import type { TrustedIssuers } from './trusted-issuers/trusted-issuers.ts';

const SECOND = 1000;
/** A start has enough to do with the requests that waited for it. */
const CLEANUP_DELAY_SECONDS = 60;

/** What goes on beside the requests: keys come and go, other processes change clients, resources, types of details and trusted issuers, expired records are deleted. */
export function startUpkeep(parts: {
  readonly config: Config;
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clients: Pick<Clients, 'forget'>;
  readonly resources: Resources;
  readonly detailTypes: DetailTypes;
  readonly trustedIssuers: TrustedIssuers;
  readonly deliveries: DeliveryWorker;
  readonly statusLists: StatusLists | undefined;
  readonly eventStreams: EventStreams;
  readonly clientUses: ClientUses;
  readonly limits: RequestLimits;
  readonly sharedRates: SharedRates;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly logger: Logger;
}): { stop(): Promise<void> } {
  const { config, database, keys, clients, resources, detailTypes, trustedIssuers, deliveries } = parts;
  const { statusLists, eventStreams, clientUses, limits, sharedRates, audit, clock, logger } = parts;
  const watcher = changeWatcher(database, {
    clients: () => clients.forget(),
    resources: () => resources.forget(),
    detail_types: () => detailTypes.forget(),
    trusted_issuers: () => trustedIssuers.forget(),
  });
  const cleanup = cleanupOf(database);
  const cleanupFrom = clock.now() + CLEANUP_DELAY_SECONDS;
  const work = timers();
  work.every(SECOND, () => keys.reload(), logFailure('keys'));
  const look = work.every(SECOND, () => watcher.poll(), logFailure('changes'));
  work.every(SECOND, () => deliveries.run(), logFailure('deliveries'));
  // Half a second, so that a second is kept also where the other half goes by elsewhere.
  const lookAtLists = statusLists && work.every(SECOND / 2, () => statusLists.changed(), logFailure('status lists'));
  if (statusLists !== undefined) {
    work.every(SECOND, () => statusLists.stockUp(), logFailure('status lists'));
    work.every(60 * SECOND, () => statusLists.lookAround(), logFailure('status lists'));
    work.every(3600 * SECOND, () => statusLists.reload(), logFailure('status lists'));
    work.every(15 * SECOND, async () => statusLists.listeners.beat(), logFailure('status list events'));
  }
  work.every(SECOND, () => limits.share(sharedRates), logFailure('rate limits'));
  work.every(SECOND, () => clientUses.write(), logFailure('client uses'));
  work.every(60 * SECOND, dropSecurityEvents, logFailure('security events'));
  // Together the workers of a machine take no more of the database than one process would.
  work.every(config.workers * SECOND, cleanUp, logFailure('cleanup'));
  const notices = noticesOf();
  return {
    async stop() {
      await notices?.stop();
      await work.stop();
    },
  };

  /** On PostgreSQL nodes hear of changes at once. Looking every second is for when they do not. */
  function noticesOf(): ChangeNotices | undefined {
    if (config.database.kind === 'sqlite') {
      return undefined;
    }
    return listenForChanges({
      url: config.listenUrl ?? config.database.url,
      onChange() {
        look.soon();
        lookAtLists?.soon();
      },
      onState: (err) =>
        err === undefined
          ? logger.info('notices of changes come again')
          : logger.warn(
              { err },
              'no notices of changes from the database; changes of other nodes are noticed within a second all the same',
            ),
    });
  }

  async function cleanUp(): Promise<void> {
    const now = clock.now();
    if (now < cleanupFrom) {
      return;
    }
    const deleted = await cleanup.run({
      now,
      keepSeconds: config.lifetimes.accessTokenMaxSeconds,
      forgetAttemptsSeconds: ACCOUNT_POLICY.forgetAfterSeconds,
    });
    if (Object.values(deleted).some((count) => count > 0)) {
      logger.debug({ deleted }, 'cleaned up');
    }
  }

  /** What receivers have not fetched in time is lost to them, so somebody is told. */
  async function dropSecurityEvents(): Promise<void> {
    for (const { clientId, streamId, count, reason } of await eventStreams.dropExcess(clock.now(), MOST_WAITING_EVENTS)) {
      audit.record('security_events_dropped', { clientId, streamId, count, reason });
    }
  }

  function logFailure(part: string): (error: unknown) => void {
    return (err) => logger.warn({ err, part }, 'upkeep failed; it is tried again');
  }
}
