import type { EpochSeconds } from '../core/clock.ts';
import type { OutboundAnswer, OutboundRequest } from '../outbound/outbound.ts';

/** Something that a client is to be told by a request to an address it registered. */
export interface NewDelivery {
  /** The same in every attempt, so that the receiver can tell a repetition. */
  readonly id: string;
  readonly clientId: string;
  /** The name of its `DeliveryKind`. */
  readonly kind: string;
  /** What the kind makes the request from. No token and no secret: what is signed is signed when it is sent. */
  readonly payload: Readonly<Record<string, string>>;
  readonly createdAt: EpochSeconds;
  /** When it is given up. */
  readonly expiresAt: EpochSeconds;
}

export interface Delivery extends NewDelivery {
  /** How often it was taken in hand, this time included. */
  readonly attempts: number;
}

/** What can be delivered: one kind of message. */
export interface DeliveryKind {
  readonly kind: string;
  /**
   * Made anew for each attempt.
   * @returns undefined when there is nobody to be told any more; `held` when it must not be sent now, and whoever lets it go sees to it then.
   */
  requestFor(delivery: Delivery, now: EpochSeconds): Promise<OutboundRequest | 'held' | undefined>;
  /** What an answer means. Absent: it arrived with any status of 200 to 299, and with no other. */
  readonly outcomeOf?: (answer: OutboundAnswer) => DeliveryOutcome;
  /** Called before a delivery is removed: it arrived, was refused, is given up, or nobody is to be told. Idempotent. */
  readonly settled?: (delivery: Delivery) => Promise<void>;
}

/** What came of an attempt. `refused`: it arrived and is not wanted, now or later; `failed`: it is tried again. */
export type DeliveryOutcome =
  | { readonly kind: 'arrived' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

/**
 * The outbox: what has not arrived yet. It is written in the transaction of what it tells about, so that neither is there without the other.
 * All throw StorageUnavailable.
 */
export interface Deliveries {
  /** When the next one is due; undefined: there is none. */
  nextDueAt(): Promise<EpochSeconds | undefined>;
  /**
   * Takes up to `most` that are due at `now` and not for one of the clients in `except`, those that wait longest first. One statement: nobody
   * else, on any node, is given them until `now + leaseSeconds`; then they are due again, should this process be gone.
   */
  claim(most: number, now: EpochSeconds, leaseSeconds: number, except?: readonly string[]): Promise<readonly Delivery[]>;
  /** Arrived, or given up. Idempotent. */
  remove(id: string): Promise<void>;
  /** To be tried again at `at`; without effect when somebody else has it in hand meanwhile. */
  postpone(delivery: Delivery, at: EpochSeconds): Promise<void>;
}
