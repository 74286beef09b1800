import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { StorageUnavailable } from '../core/errors.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { Deliveries, Delivery, DeliveryKind } from './delivery.ts';
import { retryDelaySeconds } from './retry-delay.ts';

/** Sends what is in the outbox. Any number of workers, in any number of processes, share one. */
export interface DeliveryWorker {
  /** Takes in hand what is due, as far as there is room. Resolves when that has begun, not when it has arrived. */
  run(): Promise<void>;
  /** The same, now; what goes wrong is told to `report`. For whoever has just put something there. */
  soon(): void;
  /** Takes in hand nothing more, and waits for what is. */
  stop(): Promise<void>;
}

/** Most requests at the same moment, of one process. */
const MOST_UNDER_WAY = 32;
// Longer than a request and the statements around it may take.
const LEASE_SECONDS = 30;

/** @param report is told why something did not arrive: it is tried again. */
export function deliveryWorker(rooms: {
  readonly deliveries: Deliveries;
  readonly kinds: readonly DeliveryKind[];
  readonly send: Outbound;
  readonly clock: Clock;
  readonly audit: AuditTrail;
  readonly report: (reason: string, delivery?: Delivery) => void;
}): DeliveryWorker {
  const { deliveries, kinds, send, clock, audit, report } = rooms;
  const underWay = new Set<Promise<void>>();
  let running: Promise<void> | undefined;
  let isWanted = false;
  /** More may be due than there was room for. */
  let isCrowded = false;
  let isStopped = false;

  const worker: DeliveryWorker = {
    run() {
      isWanted = true;
      running ??= takeWhileWanted().finally(() => {
        running = undefined;
      });
      return running;
    },
    soon: () => void worker.run().catch((error: unknown) => report(messageOf(error))),
    async stop() {
      isStopped = true;
      await running?.catch(() => undefined);
      await Promise.all(underWay);
    },
  };
  return worker;

  async function takeWhileWanted(): Promise<void> {
    while (isWanted) {
      isWanted = false;
      await take();
    }
  }

  async function take(): Promise<void> {
    const room = MOST_UNDER_WAY - underWay.size;
    const now = clock.now();
    // Looked at first: nearly always nothing is due, and then nothing is written.
    if (isStopped || room === 0 || ((await deliveries.nextDueAt()) ?? Number.POSITIVE_INFINITY) > now) {
      return;
    }
    const claimed = await deliveries.claim(room, now, LEASE_SECONDS);
    isCrowded = claimed.length === room;
    for (const delivery of claimed) {
      const work = deliver(delivery).finally(() => {
        underWay.delete(work);
        if (isCrowded) {
          worker.soon();
        }
      });
      underWay.add(work);
    }
  }

  async function deliver(delivery: Delivery): Promise<void> {
    try {
      const failure = await attempt(delivery);
      if (failure === undefined) {
        await deliveries.remove(delivery.id);
      } else {
        report(failure, delivery);
        await tryAgain(delivery, failure);
      }
    } catch (error) {
      // The database: the lease runs out, and it is tried again.
      report(messageOf(error), delivery);
    }
  }

  /** @returns why it did not arrive; undefined: it did, or nobody waits for it. */
  async function attempt(delivery: Delivery): Promise<string | undefined> {
    const kind = kinds.find((candidate) => candidate.kind === delivery.kind);
    if (kind === undefined) {
      return `no delivery of the kind ${delivery.kind} is known here`;
    }
    try {
      const request = await kind.requestFor(delivery, clock.now());
      if (request === undefined) {
        return undefined;
      }
      const { status } = await send(request);
      return status >= 200 && status < 300 ? undefined : `the answer has status ${status}`;
    } catch (error) {
      if (error instanceof StorageUnavailable) {
        throw error;
      }
      return messageOf(error);
    }
  }

  async function tryAgain(delivery: Delivery, failure: string): Promise<void> {
    const at = clock.now() + retryDelaySeconds(delivery.attempts);
    if (at < delivery.expiresAt) {
      await deliveries.postpone(delivery, at);
      return;
    }
    const { id, clientId, kind, attempts } = delivery;
    await deliveries.remove(id);
    audit.record('delivery_abandoned', { deliveryId: id, clientId, kind, attempts, reason: failure });
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
