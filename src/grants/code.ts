import type { EpochSeconds } from '../core/clock.ts';
import type { CodeBinding, Confirmation, Grant } from './grant.ts';
import type { Grants } from './grants.ts';

/** An authorization code that proved genuine, presented by `clientId`. */
export interface PresentedCode {
  readonly grantId: string;
  readonly clientId: string;
  /** How long the grant's next credential lives. */
  readonly lifetimeSeconds: number;
  /** The key the request proved to hold; with `bind` the grant is bound to it from now on. */
  readonly confirmation?: Confirmation | undefined;
  readonly bind?: boolean;
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
 * then one compare-and-swap spends it, and of several requests at once one wins and the others count as reuse.
 * @throws OAuthError what `presented.check` throws.
 * @throws StorageUnavailable when the outcome is not known.
 */
export async function spendCode(grants: Grants, presented: PresentedCode, now: EpochSeconds): Promise<CodeOutcome> {
  const grant = await grants.find(presented.grantId);
  const refusal = refusalOf(grant, presented, now);
  if (grant === undefined || refusal !== undefined) {
    return { kind: 'refused', detail: refusal ?? 'no such grant' };
  }
  if (grant.code === undefined) {
    return revokeForReuse(grants, grant, now);
  }
  presented.check(grant, grant.code);
  const spent = await grants.advance({
    grantId: grant.id,
    clientId: presented.clientId,
    from: 0,
    to: 1,
    now,
    lifetimeSeconds: presented.lifetimeSeconds,
    confirmation: presented.confirmation,
    bind: presented.bind ?? false,
  });
  if (spent !== undefined) {
    return { kind: 'spent', grant: spent };
  }
  // Between the look and the swap it was spent by another request, or revoked. Only the first is reuse.
  const after = await grants.find(grant.id);
  return after !== undefined && after.code === undefined && after.revokedAt === undefined
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
  if (grant.code !== undefined && now >= grant.expiresAt) {
    return 'the code has expired';
  }
  return undefined;
}

async function revokeForReuse(grants: Grants, grant: Grant, now: EpochSeconds): Promise<CodeOutcome> {
  await grants.revoke(grant.id, 'authorization_code_reuse', now);
  // Returned, not thrown: the revocation stands whatever becomes of the answer.
  return { kind: 'reused', grant };
}
