import type { EpochSeconds } from '../core/clock.ts';
import type { Confirmation, Grant, RevocationReason } from './grant.ts';
import type { Advance, Grants } from './grants.ts';
import { fitsBinding } from './key-binding.ts';

/** A refresh token that proved genuine, and the policy of the client that presents it. */
export interface PresentedRefreshToken {
  readonly grantId: string;
  /** The generation the token was minted for. */
  readonly generation: number;
  readonly clientId: string;
  /** Whether each use makes a new generation (RFC 9700 section 4.14.2). */
  readonly rotates: boolean;
  readonly idleSeconds: number;
  readonly graceSeconds: number;
  /** The key the request proved to hold. */
  readonly confirmation?: Confirmation | undefined;
  /** Whether the successor is bound to it. */
  readonly binding?: Advance['binding'];
  /** What a grant is said to have ended for whose old token comes back; absent: the reuse of a refresh token. */
  readonly reuse?: RevocationReason;
}

/** What became of a presented refresh token. */
export type RotationOutcome =
  /** It was the live one. `grant.generation` is now its successor's. */
  | { readonly kind: 'rotated'; readonly grant: Grant }
  /** It was used a moment ago: a lost answer, two tabs, a retry. The successor is the same one again, so the chain cannot fork. */
  | { readonly kind: 'repeated'; readonly grant: Grant }
  /** It is genuine and newer than the record: the database was restored from a backup. The record has caught up. */
  | { readonly kind: 'caught_up'; readonly grant: Grant; readonly recorded: number }
  /** An old token came back: someone else may hold the family. The grant has been revoked. */
  | { readonly kind: 'reused'; readonly grant: Grant; readonly detail: string }
  /** Nothing was changed. */
  | { readonly kind: 'refused'; readonly detail: string };

/**
 * Uses a refresh token (RFC 6749 section 6, rotation by RFC 9700 section 4.14.2). Presented generation g, recorded generation G: the swap
 * from g is one statement, so that of any number of uses at once, on any number of nodes, one makes the successor and the others are told
 * of the same one. `attempt` is counted by the function itself.
 * @throws StorageUnavailable when the outcome is not known; using the same token again is then safe.
 */
export async function useRefreshToken(
  grants: Grants,
  presented: PresentedRefreshToken,
  now: EpochSeconds,
  attempt: number = 1,
): Promise<RotationOutcome> {
  const swapped = await advanceFrom(grants, presented, presented.generation, now);
  if (swapped !== undefined) {
    return { kind: 'rotated', grant: swapped };
  }
  // Rare from here on: look at what is recorded, and decide.
  const grant = await grants.find(presented.grantId);
  const verdict = judge(grant, presented, now);
  switch (verdict.kind) {
    case 'repeated':
    case 'refused':
      return verdict;
    case 'live':
      // The record came to this token between the swap and the look: another use of a restored grant caught up. So it can be swapped now.
      return attempt < MOST_ATTEMPTS
        ? useRefreshToken(grants, presented, now, attempt + 1)
        : { kind: 'refused', detail: 'the grant changed at this moment, again and again' };
    case 'behind': {
      const caughtUp = await advanceFrom(grants, presented, verdict.recorded, now);
      // Lost the swap to another use at this same moment: that one decided, so look again.
      return caughtUp === undefined
        ? useRefreshToken(grants, presented, now, attempt)
        : { kind: 'caught_up', grant: caughtUp, recorded: verdict.recorded };
    }
    case 'reused':
      await grants.revoke(presented.grantId, presented.reuse ?? 'refresh_token_reuse', now);
      // Returned, not thrown: whoever answers the client decides how, and the revocation stands.
      return verdict;
  }
}

const MOST_ATTEMPTS = 3;

type Verdict =
  | Extract<RotationOutcome, { kind: 'repeated' | 'refused' | 'reused' }>
  | { readonly kind: 'live' }
  | { readonly kind: 'behind'; readonly recorded: number };

/** The four cases, once the swap from the presented generation has failed; `live` where it would not fail any more. Pure. */
export function judge(grant: Grant | undefined, presented: PresentedRefreshToken, now: EpochSeconds): Verdict {
  if (grant === undefined) {
    return { kind: 'refused', detail: 'no such grant' };
  }
  // Another client's token is refused before anything is counted against the grant: nobody can burn a token that is not theirs.
  if (grant.clientId !== presented.clientId) {
    return { kind: 'refused', detail: `the grant is client ${grant.clientId}'s` };
  }
  const verdict = judgeGeneration(grant, presented, now);
  if (fitsBinding(grant.confirmation, presented.confirmation)) {
    return verdict;
  }
  // The same for a thief of the token who does not have its key (RFC 9449 section 5, RFC 8705 section 4). But a token from before the binding
  // was a bearer token: when one comes back late, two had it, and it may be the thief who bound the grant.
  return verdict.kind === 'reused' && presented.generation < (grant.boundFrom ?? 0)
    ? verdict
    : { kind: 'refused', detail: 'the grant is bound to another key' };
}

function judgeGeneration(grant: Grant, presented: PresentedRefreshToken, now: EpochSeconds): Verdict {
  if (grant.revokedAt !== undefined) {
    return { kind: 'refused', detail: `the grant was revoked: ${grant.revocationReason ?? 'unknown'}` };
  }
  if (grant.user.disabled) {
    return { kind: 'refused', detail: 'the user is disabled' };
  }
  if (presented.generation > grant.generation) {
    // The record knows nothing of this token's life, only of the cap on all of them.
    return grant.absoluteExpiresAt !== undefined && now >= grant.absoluteExpiresAt
      ? { kind: 'refused', detail: 'the grant has expired' }
      : { kind: 'behind', recorded: grant.generation };
  }
  if (now >= grant.expiresAt) {
    return { kind: 'refused', detail: 'the grant has expired' };
  }
  if (presented.generation === grant.generation) {
    return { kind: 'live' };
  }
  const isDirectPredecessor = presented.generation === grant.generation - 1;
  if (isDirectPredecessor && now <= grant.generationAt + presented.graceSeconds && presented.graceSeconds > 0) {
    return { kind: 'repeated', grant };
  }
  return { kind: 'reused', grant, detail: `generation ${presented.generation} presented, ${grant.generation} is live` };
}

function advanceFrom(grants: Grants, presented: PresentedRefreshToken, from: number, now: EpochSeconds): Promise<Grant | undefined> {
  return grants.advance({
    grantId: presented.grantId,
    clientId: presented.clientId,
    from,
    to: presented.rotates ? presented.generation + 1 : presented.generation,
    now,
    lifetimeSeconds: presented.idleSeconds,
    catchUp: from < presented.generation,
    confirmation: presented.confirmation,
    binding: presented.binding,
  });
}
