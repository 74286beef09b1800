import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { StorageUnavailable } from '../core/errors.ts';
import type { Outbound, OutboundAnswer } from '../outbound/outbound.ts';
import type { Deliveries, Delivery, DeliveryKind, DeliveryOutcome } from './delivery.ts';
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
/** Most of them to one client: one whose receiver is down holds each place until the time for an answer is over, and the others go on. */
const MOST_A_CLIENT = 4;
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
  /** How many of them are for each client that has any. */
  const placesOf = new Map<string, number>();
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
    const now = clock.now();
    // Looked at first: nearly always nothing is due, and then nothing is written.
    if (isStopped || ((await deliveries.nextDueAt()) ?? Number.POSITIVE_INFINITY) > now) {
      return;
    }
    for (;;) {
      const room = MOST_UNDER_WAY - underWay.size;
      isCrowded = true;
      if (isStopped || room === 0) {
        return;
      }
      const places = [...placesOf];
      const full = places.flatMap(([clientId, taken]) => (taken >= MOST_A_CLIENT ? [clientId] : []));
      // No more at once than whoever of the others has least room could take, for they may all be for one client.
      const taken = Math.max(0, ...places.map(([, count]) => count).filter((count) => count < MOST_A_CLIENT));
      const most = Math.min(room, MOST_A_CLIENT - taken);
      const claimed = await deliveries.claim(most, now, LEASE_SECONDS, full);
      for (const delivery of claimed) {
        start(delivery);
      }
      if (claimed.length < most) {
        isCrowded = full.length > 0;
        return;
      }
    }
  }

  function start(delivery: Delivery): void {
    const { clientId } = delivery;
    placesOf.set(clientId, (placesOf.get(clientId) ?? 0) + 1);
    const work = deliver(delivery).finally(() => {
      underWay.delete(work);
      const left = (placesOf.get(clientId) ?? 1) - 1;
      if (left === 0) {
        placesOf.delete(clientId);
      } else {
        placesOf.set(clientId, left);
      }
      if (isCrowded) {
        worker.soon();
      }
    });
    underWay.add(work);
  }

  async function deliver(delivery: Delivery): Promise<void> {
    try {
      const outcome = await attempt(delivery);
      switch (outcome.kind) {
        case 'held':
          return;
        case 'arrived':
          return await settle(delivery);
        case 'refused':
          await settle(delivery);
          return audit.record('delivery_refused', { ...named(delivery), reason: outcome.reason });
        case 'failed':
          report(outcome.reason, delivery);
          return await tryAgain(delivery, outcome.reason);
        default:
          return outcome satisfies never;
      }
    } catch (error) {
      // The database: the lease runs out, and it is tried again.
      report(messageOf(error), delivery);
    }
  }

  /** What nobody waits for any more counts as arrived. */
  async function attempt(delivery: Delivery): Promise<DeliveryOutcome | { readonly kind: 'held' }> {
    const kind = kindOf(delivery);
    if (kind === undefined) {
      return { kind: 'failed', reason: `no delivery of the kind ${delivery.kind} is known here` };
    }
    try {
      const request = await kind.requestFor(delivery, clock.now());
      if (request === undefined || request === 'held') {
        return { kind: request ?? 'arrived' };
      }
      return (kind.outcomeOf ?? byStatus)(await send(request));
    } catch (error) {
      if (error instanceof StorageUnavailable) {
        throw error;
      }
      return { kind: 'failed', reason: messageOf(error) };
    }
  }

  function kindOf({ kind }: Delivery): DeliveryKind | undefined {
    return kinds.find((candidate) => candidate.kind === kind);
  }

  async function settle(delivery: Delivery): Promise<void> {
    await kindOf(delivery)?.settled?.(delivery);
    await deliveries.remove(delivery.id);
  }

  async function tryAgain(delivery: Delivery, failure: string): Promise<void> {
    const at = clock.now() + retryDelaySeconds(delivery.attempts);
    if (at < delivery.expiresAt) {
      await deliveries.postpone(delivery, at);
      return;
    }
    await settle(delivery);
    audit.record('delivery_abandoned', { ...named(delivery), reason: failure });
  }
}

function named({ id, clientId, kind, attempts }: Delivery): Readonly<Record<string, string | number>> {
  return { deliveryId: id, clientId, kind, attempts };
}

function byStatus({ status }: OutboundAnswer): DeliveryOutcome {
  return status >= 200 && status < 300 ? { kind: 'arrived' } : { kind: 'failed', reason: `the answer has status ${status}` };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
