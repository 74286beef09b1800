import { openIdScopes, userClaims } from '../accounts/standard-claims.ts';
import { supportedPrompts } from '../authorization/login-parameters.ts';
import type { SigningAlgorithm } from '../config/config.ts';

/** What OpenID Connect Discovery section 3 adds to the server metadata. @param algorithms SIGNING_ALGS. */
export function openIdProviderMetadata(algorithms: readonly SigningAlgorithm[]): Readonly<Record<string, unknown>> {
  return {
    scopes_supported: openIdScopes,
    subject_types_supported: ['public', 'pairwise'],
    // Not supported: none, which nobody could verify.
    id_token_signing_alg_values_supported: algorithms,
    userinfo_signing_alg_values_supported: algorithms,
    claim_types_supported: ['normal'],
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'acr', 'amr', 'at_hash', 'sid', ...userClaims],
    claims_parameter_supported: true,
    display_values_supported: ['page', 'popup', 'touch'],
    prompt_values_supported: supportedPrompts,
  };
}
