import type { SigningAlgorithm } from '../config/config.ts';
import type { MetadataReader } from './metadata-reader.ts';

/** OpenID Connect Dynamic Client Registration section 2: what a client says about its users' logins. */
export interface OpenIdClientMetadata {
  readonly application_type?: 'web' | 'native';
  /** Absent: `public`. */
  readonly subject_type?: 'public' | 'pairwise';
  readonly sector_identifier_uri?: string;
  /** Absent: RS256, where the server has such a key. */
  readonly id_token_signed_response_alg?: SigningAlgorithm;
  /** Absent: userinfo is plain JSON. */
  readonly userinfo_signed_response_alg?: SigningAlgorithm;
  /** Lifetime in seconds that replaces the server's. */
  readonly id_token_ttl?: number;
  /** Seconds; what counts where a request has no `max_age`. */
  readonly default_max_age?: number;
  /** ID tokens always have `auth_time`. */
  readonly require_auth_time?: boolean;
  /** What counts where a request has no `acr_values`. */
  readonly default_acr_values?: readonly string[];
}

/** Reads these members, each for itself. */
export function readOpenIdMetadata(
  members: MetadataReader,
  limits: { readonly signingAlgorithms: readonly SigningAlgorithm[]; readonly accessTokenMaxSeconds: number },
): OpenIdClientMetadata {
  return {
    ...members.optional('application_type', members.oneOf<'web' | 'native'>('application_type', ['web', 'native'])),
    ...members.optional('subject_type', members.oneOf<'public' | 'pairwise'>('subject_type', ['public', 'pairwise'])),
    ...members.webUris(['sector_identifier_uri']),
    ...members.optional('id_token_signed_response_alg', members.oneOf('id_token_signed_response_alg', limits.signingAlgorithms)),
    ...members.optional('userinfo_signed_response_alg', members.oneOf('userinfo_signed_response_alg', limits.signingAlgorithms)),
    // The longest time that a retired key stays published is counted by access tokens.
    ...members.optional('id_token_ttl', members.seconds('id_token_ttl', 1, limits.accessTokenMaxSeconds)),
    ...members.optional('default_max_age', members.seconds('default_max_age', 0)),
    ...members.optional('require_auth_time', members.flag('require_auth_time')),
    ...members.optional('default_acr_values', members.strings('default_acr_values')),
  };
}
