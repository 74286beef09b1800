import { loginParametersRule } from './authorization/login-parameters.ts';
import { pkceRule } from './authorization/pkce.ts';
import { repeatsRule, requestObjectRule, resourceRule, responseModeRule, responseTypeRule, scopeRule } from './authorization/rules.ts';
import { clientSecretBasic } from './clients/client-secret-basic.ts';
import { clientSecretPost } from './clients/client-secret-post.ts';
import { publicClient } from './clients/public-client.ts';
import { authorizationEndpoint } from './endpoints/authorization.ts';
import { consentEndpoint } from './endpoints/consent.ts';
import { introspectionEndpoint } from './endpoints/introspection.ts';
import { keySetEndpoint } from './endpoints/key-set.ts';
import { loginEndpoint } from './endpoints/login.ts';
import { logoutEndpoint } from './endpoints/logout.ts';
import { resumeEndpoint } from './endpoints/resume.ts';
import { revocationEndpoint } from './endpoints/revocation.ts';
import { tokenEndpoint } from './endpoints/token.ts';
import type { Feature } from './feature.ts';
import { authorizationCode } from './grant-types/authorization-code.ts';
import { clientCredentials } from './grant-types/client-credentials.ts';
import { refreshToken } from './grant-types/refresh-token.ts';
import { consentPrompt } from './interaction/consent-prompt.ts';
import { loginPrompt } from './interaction/login-prompt.ts';
import { languages } from './pages/languages.ts';
import type { Rooms } from './rooms.ts';

/** THE list: what this server can do, one specification an entry. Metadata, registration limits and routes are derived from it. */
export function features(rooms: Rooms): readonly Feature[] {
  return [
    {
      specification: 'RFC 6749 section 2.3: client authentication with a secret, and public clients',
      clientAuthentication: [clientSecretBasic, clientSecretPost, publicClient],
    },
    {
      specification: 'RFC 6749 section 3.2: token endpoint',
      endpoints: (assembled) => [tokenEndpoint({ ...rooms, ...assembled })],
    },
    {
      specification: 'RFC 6749 section 4.1: authorization code grant',
      grantTypes: [authorizationCode(rooms)],
      authorizationRules: [repeatsRule, responseTypeRule, responseModeRule, scopeRule],
      endpoints: ({ flow }) => [authorizationEndpoint({ ...rooms, flow }), resumeEndpoint({ ...rooms, flow })],
      metadata: { response_types_supported: ['code'], response_modes_supported: ['query'] },
    },
    { specification: 'RFC 6749 section 4.4: client credentials grant', grantTypes: [clientCredentials(rooms)] },
    { specification: 'RFC 6749 section 6: refreshing an access token', grantTypes: [refreshToken(rooms)] },
    {
      specification: 'draft-ietf-oauth-refresh-token-expiration-03: lifetimes in the token response',
      metadata: { refresh_token_expiration_types_supported: ['token_timeout', 'authorization'] },
    },
    {
      specification: 'RFC 7636: proof key for code exchange',
      authorizationRules: [pkceRule],
      metadata: { code_challenge_methods_supported: ['S256'] },
    },
    { specification: 'RFC 7517: key set', endpoints: () => [keySetEndpoint(rooms.keys)] },
    {
      specification: 'RFC 7009: token revocation',
      endpoints: ({ authenticateClient }) => [revocationEndpoint({ ...rooms, authenticateClient })],
    },
    {
      specification: 'RFC 7662: token introspection',
      endpoints: ({ authenticateClient }) => [introspectionEndpoint({ ...rooms, authenticateClient })],
    },
    { specification: 'RFC 8707: resource indicators', authorizationRules: [resourceRule] },
    {
      specification: 'RFC 9207: issuer in the authorization response',
      metadata: { authorization_response_iss_parameter_supported: true },
    },
    {
      specification: 'OpenID Connect Core section 3.1.2.1: what a request says about the login',
      authorizationRules: [requestObjectRule, loginParametersRule],
      metadata: { ui_locales_supported: languages },
    },
    {
      specification: 'Login, consent and logout pages',
      prompts: [loginPrompt, consentPrompt(rooms.consents)],
      endpoints: ({ flow }) => [loginEndpoint({ ...rooms, flow }), consentEndpoint({ ...rooms, flow }), logoutEndpoint(rooms)],
    },
  ];
}
