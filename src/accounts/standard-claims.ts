import type { User } from './user.ts';

/** OpenID Connect Core section 5.4: the claims that each scope value asks for. */
// biome-ignore format: lists of names read best filled
const CLAIMS_OF_SCOPE: Readonly<Record<string, readonly string[]>> = {
  profile: [
    'name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture', 'website', 'gender',
    'birthdate', 'zoneinfo', 'locale', 'updated_at',
  ],
  email: ['email', 'email_verified'],
  address: ['address'],
  phone: ['phone_number', 'phone_number_verified'],
};

/** The scope values that have a meaning in OpenID Connect (Core sections 5.4 and 11). They are about a user: a client that acts for itself has none. */
export const openIdScopes: readonly string[] = ['openid', ...Object.keys(CLAIMS_OF_SCOPE), 'offline_access'];

/** Every claim about a user that this server may know. */
export const userClaims: readonly string[] = Object.values(CLAIMS_OF_SCOPE).flat();

/** The claims that a scope value asks for; none for a value that is about something else. */
export function claimsOfScope(scope: string): readonly string[] {
  return Object.hasOwn(CLAIMS_OF_SCOPE, scope) ? (CLAIMS_OF_SCOPE[scope] ?? []) : [];
}

/** The scope value that a claim belongs to; undefined for one that this server does not know. */
export function scopeOfClaim(claim: string): string | undefined {
  return Object.keys(CLAIMS_OF_SCOPE).find((scope) => claimsOfScope(scope).includes(claim));
}

/** All that is known of a user, by the names of OpenID Connect Core section 5.1. */
export function claimsAbout({ username, name, email, profile, updatedAt }: User): Readonly<Record<string, unknown>> {
  const { email_verified: emailVerified, phone_number_verified: phoneVerified, ...others } = profile;
  return {
    updated_at: updatedAt,
    ...others,
    ...(name === undefined ? {} : { name }),
    preferred_username: username,
    ...(email === undefined ? {} : { email, email_verified: emailVerified ?? false }),
    ...(profile.phone_number === undefined ? {} : { phone_number_verified: phoneVerified ?? false }),
  };
}
