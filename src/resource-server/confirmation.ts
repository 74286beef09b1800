import type { AccessTokenClaims } from './access-token.ts';
import { invalidToken } from './refusal.ts';

/** The key that whoever presents the token must prove to hold (RFC 7800 section 3); `none`: a bearer token. */
export type Confirmation =
  | { readonly kind: 'none' }
  | { readonly kind: 'dpop'; readonly thumbprint: string }
  | { readonly kind: 'certificate'; readonly thumbprint: string };

/** @throws Refusal when the token is bound in a way that is not known here: to let it in would be to leave the binding out. */
export function confirmationOf({ cnf }: AccessTokenClaims): Confirmation {
  if (cnf === undefined) {
    return { kind: 'none' };
  }
  const { jkt, 'x5t#S256': x5t } = typeof cnf === 'object' && cnf !== null ? (cnf as Record<string, unknown>) : {};
  if (typeof jkt === 'string' && x5t === undefined) {
    return { kind: 'dpop', thumbprint: jkt };
  }
  if (typeof x5t === 'string' && jkt === undefined) {
    return { kind: 'certificate', thumbprint: x5t };
  }
  throw invalidToken('it is bound in a way that is not known here');
}
