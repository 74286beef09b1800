import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { Authentication, CodeBinding, Confirmation, Grant, OpenIdRequest, RevocationReason } from './grant.ts';

/** A grant about to be made: its code, generation 0, is live. */
export interface NewGrant {
  readonly id: string;
  readonly clientId: string;
  readonly userId: string;
  readonly scope: readonly string[];
  readonly resources: readonly string[];
  readonly authorizationDetails?: AuthorizationDetails | undefined;
  readonly authentication: Authentication;
  readonly code: CodeBinding;
  readonly openid?: OpenIdRequest | undefined;
  /** Binds the code already (RFC 9449 section 10); absent: nothing does yet. */
  readonly confirmation?: Confirmation | undefined;
  readonly createdAt: EpochSeconds;
  /** End of the code. */
  readonly expiresAt: EpochSeconds;
  readonly absoluteExpiresAt: EpochSeconds | undefined;
  /** It is made only while the session of `authentication` lives. */
  readonly onlyInLiveSession?: boolean;
  /** It is made only while its user is not disabled. */
  readonly onlyForEnabledUser?: boolean;
  /** No code was given for it, nor ever is: generation 1 is the live one from the beginning. */
  readonly withoutCode?: boolean;
}

/** A compare-and-swap on the generation of a grant: spending a code, rotating a refresh token. */
export interface Advance {
  readonly grantId: string;
  readonly clientId: string;
  /** The generation that must be the live one. */
  readonly from: number;
  /** The generation that is live afterwards; equal to `from` where a client's refresh tokens do not rotate. */
  readonly to: number;
  readonly now: EpochSeconds;
  /** The new credential ends this long after `now`, or at the grant's cap if that comes first. */
  readonly lifetimeSeconds: number;
  /** The key the request proved to hold. A grant that is bound to one is moved on by no other. */
  readonly confirmation?: Confirmation | undefined;
  /** The record is older than the credential: when it expires says nothing, only its cap does. */
  readonly catchUp?: boolean;
  /** `bind`: from now on the grant is bound to `confirmation`, where there is one; `release`: to no key. Absent: all stays as it is. */
  readonly binding?: 'bind' | 'release' | undefined;
}

/** Which grants. Every member given must match. */
export interface GrantFilter {
  readonly userId?: string;
  readonly clientId?: string;
  readonly sessionId?: string;
}

/**
 * The records of grants. Each method is one statement, so that a race has one winner on every node, and has happened durably when its
 * promise resolves. `advance` and `revoke` of concurrent requests travel together.
 * All throw StorageUnavailable when the outcome is not known to be durable.
 */
export interface Grants {
  /**
   * Of a session that ends at the same moment and a grant that is made in it, on whatever nodes, one comes first: either the grant is not made,
   * or the end finds it, and its client is told and it is revoked as of any other grant of that session.
   * The same holds of a user who is disabled and a grant that is made for enabled users only.
   * @returns false when it is not made, because the session is over that it was to be made in, or the user is disabled.
   */
  create(grant: NewGrant): Promise<boolean>;
  find(id: string): Promise<Grant | undefined>;
  /**
   * Makes `to` the live generation if, at that moment, `from` is, the grant is `clientId`'s, is neither revoked nor expired at `now`, and
   * its user is not disabled, and the grant is bound to no key or to `confirmation`. Of concurrent calls with the same `from` (and another `to`) exactly one succeeds, on whatever node.
   * @returns the grant afterwards, or undefined when nothing was changed.
   */
  advance(advance: Advance): Promise<Grant | undefined>;
  /** Idempotent: the first reason stays. @returns whether this call ended the grant. */
  revoke(id: string, reason: RevocationReason, now: EpochSeconds): Promise<boolean>;
  /** @returns how many grants this call ended. */
  revokeAll(filter: GrantFilter, reason: RevocationReason, now: EpochSeconds): Promise<number>;
  /**
   * Ends the access tokens that a grant has now, and nothing else of it: those made from now on name another entry of the status lists. Does
   * nothing when they name another one already, or the grant is over. @param statusEntry that the tokens to end name.
   */
  renewStatusEntry(id: string, statusEntry: number): Promise<void>;
  /** Newest first; `before` is the id of the last one of the page before. */
  list(filter: GrantFilter, page: { readonly before?: string; readonly limit: number }): Promise<readonly Grant[]>;
}
