import type { EpochSeconds } from '../core/clock.ts';

/** Whom or what an event is about. Users and sessions by the identifiers of this server: what the receiver calls them is found when it is told. */
export type EventSubject =
  | { readonly kind: 'stream' }
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'session'; readonly userId: string; readonly sessionId: string };

/** Something that a receiver is to be told of (RFC 8417). */
export interface SecurityEvent {
  /** The `jti`: the same as often as it is told. */
  readonly id: string;
  readonly streamId: string;
  /** URI. */
  readonly type: string;
  readonly subject: EventSubject;
  /** The same for all events of one cause (SSF 1.0 section 5.1.9). */
  readonly txn: string;
  /** The value of the member of `events`. */
  readonly event: Readonly<Record<string, unknown>>;
  readonly createdAt: EpochSeconds;
  /** When it is given up. */
  readonly expiresAt: EpochSeconds;
}

/** One that is about to be recorded. */
export interface NewSecurityEvent extends SecurityEvent {
  readonly clientId: string;
}

/** How long an event waits for a receiver: long enough for a receiver that is down over a weekend and a holiday. */
export const EVENT_LIFETIME_SECONDS = 7 * 86_400;
/** How many of one stream are kept at once. */
export const MOST_WAITING_EVENTS = 10_000;

/** The name of the delivery by which a security event is pushed. The delivery has the event's id. */
export const SECURITY_EVENT_DELIVERY = 'security_event';
