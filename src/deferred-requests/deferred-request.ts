import { CIBA_GRANT, DEVICE_CODE_GRANT } from '../clients/deferred-grants.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { Parameters } from '../core/parameters.ts';

/** By which grant the client waits: RFC 8628, or OpenID Client-Initiated Backchannel Authentication. */
export type DeferredKind = 'device' | 'ciba';

/** What the client asks the token endpoint by. */
export const GRANT_TYPE_OF: Readonly<Record<DeferredKind, string>> = { device: DEVICE_CODE_GRANT, ciba: CIBA_GRANT };

/**
 * A request that a client makes at one endpoint, a user decides elsewhere, and the client asks the token endpoint about until then. What it
 * asks for is kept as it was sent; the rules are applied again at each step of the user, as for any authorization request.
 */
export interface DeferredRequest {
  readonly id: string;
  readonly kind: DeferredKind;
  readonly clientId: string;
  /** The only user who may decide it; undefined: whoever enters its code. */
  readonly userId: string | undefined;
  readonly parameters: Parameters;
  /** The client signed them. */
  readonly isSigned?: true;
  /** Where it was asked from: users are shown it (RFC 10027). */
  readonly remoteAddress: string;
  readonly createdAt: EpochSeconds;
  /** By then it must be decided. */
  readonly expiresAt: EpochSeconds;
}

/** A request about to be kept. */
export interface NewDeferredRequest extends DeferredRequest {
  /** The digest of its user code; undefined: it has none. */
  readonly userCode: string | undefined;
  /** What the client is told by when it is decided (ping mode), sealed (`notificationSeal`); absent: it is not told. */
  readonly sealedNotification?: string;
  /** How long the client waits from one poll to the next; grows with each that comes too soon. */
  readonly intervalSeconds: number;
}

/** How many requests may wait for one user, so that nobody is asked until they give in. */
export interface MostOfUser {
  /** Of one client. */
  readonly ofClient: number;
  /** Of all clients together. */
  readonly ofAll: number;
}

/** What a user made of a request. */
export type Decision =
  | { readonly kind: 'allowed'; readonly userId: string; readonly grantId: string }
  | { readonly kind: 'denied'; readonly userId: string };

/** What a poll met. */
export type PollOutcome =
  /** Nobody has decided. `isTooSoon`: it came before its time, and `intervalSeconds` has grown for that. */
  | { readonly kind: 'pending'; readonly isTooSoon: boolean; readonly intervalSeconds: number }
  | { readonly kind: 'allowed'; readonly grantId: string }
  | { readonly kind: 'denied' }
  /** It was not decided in time, or was decided so long ago that it is gone. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'foreign' };

/** The records of deferred requests. What decides is one statement each, so that a race has one winner on every node; all are durable. */
export interface DeferredRequests {
  /**
   * Keeps a request. One statement looks how many of its client are kept at `now`: of those who ask at the very same moment some may go beyond
   * `most`, and nobody after them.
   * @param mostOfUser counts as well, for a request that is for one user.
   * @returns `taken` when another live request has its user code: make another one.
   */
  create(request: NewDeferredRequest, most: number, now: EpochSeconds, mostOfUser?: MostOfUser): Promise<'created' | 'too_many' | 'taken'>;
  /**
   * Finds the undecided request of a user code, and counts that it was entered. @param most after so many times a code is good for nothing.
   * @returns undefined for a code that is unknown, decided, expired, or was entered too often.
   */
  enter(userCode: string, most: number, now: EpochSeconds): Promise<DeferredRequest | undefined>;
  /** @returns undefined when there is none, or it is decided or expired. */
  findOpen(id: string, now: EpochSeconds): Promise<DeferredRequest | undefined>;
  /** The undecided requests that are for a user and no other, oldest first. */
  openFor(userId: string, now: EpochSeconds): Promise<readonly DeferredRequest[]>;
  /** What was sealed for the client of a request; undefined: nothing was, or the request is gone. */
  findNotification(id: string): Promise<string | undefined>;
  /**
   * Of any number of decisions, on any number of nodes, exactly one is answered true; none by another user than the request is for. A client that
   * is to be told of it has its delivery in the outbox with that, in one transaction.
   */
  decide(id: string, decision: Decision, now: EpochSeconds): Promise<boolean>;
  /**
   * Counts a poll: too soon, it adds `SLOW_DOWN_SECONDS` to the interval, for this request and for good (RFC 8628 section 3.5). One that is
   * decided is answered at any time.
   */
  poll(id: string, by: { readonly kind: DeferredKind; readonly clientId: string }, now: EpochSeconds): Promise<PollOutcome>;
}

/** RFC 8628 section 3.5, and CIBA section 11: "the interval MUST be increased by at least 5 seconds". */
export const SLOW_DOWN_SECONDS = 5;
