import type { EpochSeconds } from '../core/clock.ts';
import type { CodeBinding, Confirmation, Grant } from './grant.ts';
import type { Advance, Grants } from './grants.ts';
import { fitsBinding } from './key-binding.ts';

/** An authorization code that proved genuine, presented by `clientId`. */
export interface PresentedCode {
  readonly grantId: string;
  readonly clientId: string;
  /** How long the grant's next credential lives. */
  readonly lifetimeSeconds: number;
  /** The key the request proved to hold. */
  readonly confirmation?: Confirmation | undefined;
  /** Whether the grant's next credential is bound to it. */
  readonly binding?: Advance['binding'];
  /** Looks whether the request fits what the code is bound to, while nothing is spent yet. @throws OAuthError when it does not. */
  readonly check: (grant: Grant, binding: CodeBinding) => void;
}

/** What became of a presented code. */
export type CodeOutcome =
  | { readonly kind: 'spent'; readonly grant: Grant }
  /** It had been spent before. The grant has been revoked, and with it every token that came of it (RFC 6749 section 4.1.2). */
  | { readonly kind: 'reused'; readonly grant: Grant }
  /** Nothing was changed. */
  | { readonly kind: 'refused'; readonly detail: string };

/**
 * Spends an authorization code (RFC 6749 section 4.1.3). Everything it is bound to is checked first, so that a wrong request burns nothing;
 * then one compare-and-swap spends it, and of several requests at once one wins and the others count as reuse. Only a request that could
 * have redeemed the code is reuse: whoever saw a spent code in a log or a history must not be able to log the user out with it.
 * @throws OAuthError what `presented.check` throws.
 * @throws StorageUnavailable when the outcome is not known.
 */
export async function spendCode(grants: Grants, presented: PresentedCode, now: EpochSeconds): Promise<CodeOutcome> {
  const grant = await grants.find(presented.grantId);
  const refusal = refusalOf(grant, presented, now);
  if (grant === undefined || refusal !== undefined) {
    return { kind: 'refused', detail: refusal ?? 'no such grant' };
  }
  if (!fitsBinding(grant.confirmation, presented.confirmation) && grant.generation === 0) {
    return { kind: 'refused', detail: 'the code is bound to another key' };
  }
  presented.check(grant, grant.code);
  if (grant.generation > 0) {
    return revokeForReuse(grants, grant, now);
  }
  const spent = await grants.advance({
    grantId: grant.id,
    clientId: presented.clientId,
    from: 0,
    to: 1,
    now,
    lifetimeSeconds: presented.lifetimeSeconds,
    confirmation: presented.confirmation,
    binding: presented.binding,
  });
  if (spent !== undefined) {
    return { kind: 'spent', grant: spent };
  }
  // Between the look and the swap it was spent by another request, or revoked. Only the first is reuse.
  const after = await grants.find(grant.id);
  return after !== undefined && after.generation > 0 && after.revokedAt === undefined
    ? revokeForReuse(grants, after, now)
    : { kind: 'refused', detail: 'the grant ended at this moment' };
}

function refusalOf(grant: Grant | undefined, presented: PresentedCode, now: EpochSeconds): string | undefined {
  if (grant === undefined) {
    return 'no such grant';
  }
  if (grant.clientId !== presented.clientId) {
    return `the code is client ${grant.clientId}'s`;
  }
  if (grant.revokedAt !== undefined) {
    return `the grant was revoked: ${grant.revocationReason ?? 'unknown'}`;
  }
  if (grant.user.disabled) {
    return 'the user is disabled';
  }
  if (grant.generation === 0 && now >= grant.expiresAt) {
    return 'the code has expired';
  }
  return undefined;
}

async function revokeForReuse(grants: Grants, grant: Grant, now: EpochSeconds): Promise<CodeOutcome> {
  await grants.revoke(grant.id, 'authorization_code_reuse', now);
  // Returned, not thrown: the revocation stands whatever becomes of the answer.
  return { kind: 'reused', grant };
}
