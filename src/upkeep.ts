import type { Logger } from 'pino';
import { ACCOUNT_POLICY } from './accounts/login-throttle.ts';
import type { DetailTypes } from './authorization-details/detail-types.ts';
import type { cachedClients } from './clients/clients.ts';
import type { Config } from './config/config.ts';
import type { Clock } from './core/clock.ts';
import type { DeliveryWorker } from './deliveries/delivery-worker.ts';
import type { KeyRing } from './keys/key-ring.ts';
import type { RequestLimits } from './limits/request-limits.ts';
import type { SharedRates } from './limits/shared-rates.ts';
import type { Resources } from './resources/registered-resources.ts';
import { type ChangeNotices, listenForChanges } from './storage/change-notices.ts';
import { cleanupOf } from './storage/cleanup.ts';
import type { Database } from './storage/database.ts';
import { changeWatcher } from './storage/revisions.ts';
import { timers } from './timers.ts';

const SECOND = 1000;

/** What goes on beside the requests: keys come and go, other processes change clients, resources and types of details, expired records are deleted. */
export function startUpkeep(parts: {
  readonly config: Config;
  readonly database: Database;
  readonly keys: KeyRing;
  readonly clients: ReturnType<typeof cachedClients>;
  readonly resources: Resources;
  readonly detailTypes: DetailTypes;
  readonly deliveries: DeliveryWorker;
  readonly limits: RequestLimits;
  readonly sharedRates: SharedRates;
  readonly clock: Clock;
  readonly logger: Logger;
}): { stop(): Promise<void> } {
  const { config, database, keys, clients, resources, detailTypes, deliveries, limits, sharedRates, clock, logger } = parts;
  const watcher = changeWatcher(database, {
    clients: () => clients.forget(),
    resources: () => resources.forget(),
    detail_types: () => detailTypes.forget(),
  });
  const cleanup = cleanupOf(database);
  const work = timers();
  work.every(SECOND, () => keys.reload(), logFailure('keys'));
  const look = work.every(SECOND, () => watcher.poll(), logFailure('changes'));
  work.every(SECOND, () => deliveries.run(), logFailure('deliveries'));
  work.every(SECOND, () => limits.share(sharedRates), logFailure('rate limits'));
  work.every(60 * SECOND, cleanUp, logFailure('cleanup'));
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
      onChange: () => look.soon(),
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
