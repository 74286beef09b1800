import { openIdScopes, userClaims } from '../accounts/standard-claims.ts';
import { supportedPrompts } from '../authorization/login-parameters.ts';
import type { SigningAlgorithm } from '../config/config.ts';

/** What OpenID Connect Discovery section 3 adds to the server metadata, but for what has a switch of its own. @param algorithms SIGNING_ALGS. */
export function openIdProviderMetadata(algorithms: readonly SigningAlgorithm[]): Readonly<Record<string, unknown>> {
  return {
    scopes_supported: openIdScopes,
    subject_types_supported: ['public'],
    // Not supported: none, which nobody could verify.
    id_token_signing_alg_values_supported: algorithms,
    claim_types_supported: ['normal'],
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'acr', 'amr', 'at_hash', 'sid', ...userClaims],
    // Section 3: not said, it would count as true. What is pushed is no such reference (RFC 9126 section 5).
    request_uri_parameter_supported: false,
    display_values_supported: ['page', 'popup', 'touch'],
    prompt_values_supported: supportedPrompts,
  };
}
