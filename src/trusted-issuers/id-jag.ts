import { type AcceptableGrantAssertion, acceptableClaims, type GrantAssertionRules } from './assertion-rules.ts';

/** Whether the type of a JWT says that it is an identity assertion authorization grant. */
export function isIdJagType(typ: unknown): boolean {
  return typeof typ === 'string' && typ.toLowerCase().replace(/^application\//, '') === 'oauth-id-jag+jwt';
}

/**
 * draft-ietf-oauth-identity-assertion-authz-grant-03 sections 3.1 and 4.4.1: an ID-JAG is an assertion that says for which client it was made, and
 * when.
 * @param claims of a JWT that its issuer has signed, and typed so.
 */
export function acceptableIdJag(
  claims: Readonly<Record<string, unknown>>,
  rules: GrantAssertionRules,
): AcceptableGrantAssertion | { readonly problem: string } {
  if (claims['client_id'] === undefined) {
    return { problem: 'the ID-JAG has no client_id.' };
  }
  if (typeof claims['iat'] !== 'number') {
    return { problem: 'the ID-JAG has no iat.' };
  }
  return acceptableClaims(claims, rules);
}
