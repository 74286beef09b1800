import type { EpochSeconds } from '../core/clock.ts';
import type { NewSecurityEvent, SecurityEvent } from './security-event.ts';

/** SSF 1.0 section 6.1: how the events of a stream reach its receiver. */
export type StreamDelivery =
  | {
      /** RFC 8935. */
      readonly method: 'push';
      readonly endpointUrl: string;
      /** The value of the Authorization header, sealed for the stream (`sealText`). */
      readonly sealedAuthorization: string | undefined;
    }
  /** RFC 8936. */
  | { readonly method: 'poll' };

/** SSF 1.0 section 8.1.2.1: `paused` holds events, `disabled` drops them. */
export type StreamStatus = 'enabled' | 'paused' | 'disabled';

/** What a receiver decides about its stream (SSF 1.0 section 8.1.1, "Receiver-Supplied"). */
export interface StreamSettings {
  readonly delivery: StreamDelivery;
  /** As requested, types unknown here among them; undefined: all there are. */
  readonly eventsRequested: readonly string[] | undefined;
  readonly description: string | undefined;
}

/** SSF 1.0 section 8: by which one client, the receiver, is told about users that it has grants of. */
export interface EventStream extends StreamSettings {
  readonly id: string;
  readonly clientId: string;
  readonly status: StreamStatus;
  readonly statusReason: string | undefined;
  /** Counts changes of the settings; a change must name the version it changes. */
  readonly version: number;
  readonly createdAt: EpochSeconds;
}

/** Events that were given up unseen. */
export interface DroppedEvents {
  readonly streamId: string;
  readonly clientId: string;
  readonly count: number;
  readonly reason: 'too old' | 'too many';
}

/**
 * The records of streams, and of their events until they are acknowledged. What is of one client is found by its identifier and the stream's
 * together, so that nobody reaches another's. All throw StorageUnavailable.
 */
export interface EventStreams {
  /** @returns false when the client has `most` already; also when several ask at once. */
  create(stream: EventStream, most: number): Promise<boolean>;
  find(clientId: string, id: string): Promise<EventStream | undefined>;
  /** Oldest first. */
  list(clientId: string): Promise<readonly EventStream[]>;
  /** Every stream there is, for the operator. */
  listAll(): Promise<readonly EventStream[]>;
  /** Puts the settings in place if `stream.version` is still the stored one. What waits goes the new way. @returns false when it is not. */
  change(stream: EventStream, settings: StreamSettings): Promise<boolean>;
  /**
   * Sets the status: what waits is held, sent or dropped accordingly, and `told`, a stream-updated event, goes out in any case.
   * @returns false when there is no such stream.
   */
  setStatus(
    stream: Pick<EventStream, 'id' | 'clientId'>,
    to: { readonly status: StreamStatus; readonly reason: string | undefined },
    told?: NewSecurityEvent,
  ): Promise<boolean>;
  /** @returns false when there is no such stream. */
  delete(clientId: string, id: string): Promise<boolean>;
  /** Idempotent. @returns false when `most` have been removed already. */
  removeSubject(streamId: string, subject: string, most: number): Promise<boolean>;
  /** Takes it back. Idempotent. */
  addSubject(streamId: string, subject: string): Promise<void>;
  /** Which of the subjects were removed. */
  removedAmong(streamId: string, subjects: readonly string[]): Promise<ReadonlySet<string>>;
  /** Records the event unless the last one was requested after `notSince`: one statement decides. @returns whether it did. */
  requestVerification(event: NewSecurityEvent, now: EpochSeconds, notSince: EpochSeconds): Promise<boolean>;
  findEvent(id: string): Promise<SecurityEvent | undefined>;
  /** Those of a stream that wait, oldest first. @param type only those of one type. */
  pending(streamId: string, most: number, type?: string): Promise<readonly SecurityEvent[]>;
  /** They need not be told again. Of this stream alone. @returns which of them there were. */
  acknowledge(streamId: string, ids: readonly string[]): Promise<readonly string[]>;
  /** Deletes what expired, and the oldest of streams with more than `most`. A bounded piece of work. */
  dropExcess(now: EpochSeconds, most: number): Promise<readonly DroppedEvents[]>;
}
