import type { Confirmation } from '../grants/grant.ts';

/** RFC 7800 section 3, as RFC 9449 section 6.1 and RFC 8705 section 3.1 use it; nothing for what is bound to no key. */
export function confirmationClaim(confirmation: Confirmation | undefined): { readonly cnf?: Readonly<Record<string, string>> } {
  return confirmation === undefined ? {} : { cnf: { [confirmation.method]: confirmation.thumbprint } };
}

/** How an access token of ours with these claims is presented (RFC 9449 section 5). One that is bound to a certificate is a Bearer token. */
export function tokenTypeOf({ cnf }: Readonly<Record<string, unknown>>): 'Bearer' | 'DPoP' {
  return typeof cnf === 'object' && cnf !== null && 'jkt' in cnf ? 'DPoP' : 'Bearer';
}
