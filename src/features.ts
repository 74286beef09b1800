import { contextClasses } from './accounts/authentication-context.ts';
import { authorizationDetailsRule } from './authorization/authorization-details.ts';
import { contextClassRule } from './authorization/context-class-request.ts';
import { dpopJktRule } from './authorization/dpop-jkt.ts';
import { fapi2RedirectUriRule } from './authorization/fapi2-redirect-uri.ts';
import { signedResponseModes } from './authorization/jarm.ts';
import { loginParametersRule } from './authorization/login-parameters.ts';
import { openIdRequestRule } from './authorization/openid-request.ts';
import { pkceRule } from './authorization/pkce.ts';
import { pushedRequestForm, pushedRequestRule } from './authorization/pushed-requests.ts';
import { requestObjectForm, signedRequestRule } from './authorization/request-object.ts';
import { resourceScopeRule } from './authorization/resource-scope.ts';
import { formPostMode, fragmentMode, queryMode } from './authorization/response-modes.ts';
import {
  noResourceRule,
  registrationRule,
  repeatsRule,
  resourceRule,
  responseModeRule,
  responseTypeRule,
  scopeRule,
} from './authorization/rules.ts';
import { assertionAcceptance } from './clients/assertion-acceptance.ts';
import { CLIENT_SECRET_ALGORITHMS, PRIVATE_KEY_ALGORITHMS } from './clients/client-algorithms.ts';
import { clientSecretBasic } from './clients/client-secret-basic.ts';
import { clientSecretJwt } from './clients/client-secret-jwt.ts';
import { clientSecretPost } from './clients/client-secret-post.ts';
import { privateKeyJwt } from './clients/private-key-jwt.ts';
import { publicClient } from './clients/public-client.ts';
import { backChannelLogout } from './deliveries/back-channel-logout.ts';
import { authorizationEndpoint } from './endpoints/authorization.ts';
import { consentEndpoint } from './endpoints/consent.ts';
import { encryptionMetadata } from './endpoints/encryption-metadata.ts';
import { introspectionEndpoint } from './endpoints/introspection.ts';
import { keySetEndpoint } from './endpoints/key-set.ts';
import { loginEndpoint } from './endpoints/login.ts';
import { logoutEndpoint } from './endpoints/logout.ts';
import { openIdProviderMetadata } from './endpoints/openid-provider-metadata.ts';
import { pushedAuthorizationRequestEndpoint } from './endpoints/pushed-authorization-request.ts';
import { resumeEndpoint } from './endpoints/resume.ts';
import { revocationEndpoint } from './endpoints/revocation.ts';
import { secondFactorEndpoint } from './endpoints/second-factor.ts';
import { secondFactorEnrolmentEndpoint } from './endpoints/second-factor-enrolment.ts';
import { sharedSignalsEndpoints } from './endpoints/shared-signals.ts';
import { tokenEndpoint } from './endpoints/token.ts';
import { transmitterMetadata } from './endpoints/transmitter-metadata.ts';
import { userinfoEndpoint } from './endpoints/userinfo.ts';
import type { Feature } from './feature.ts';
import { assertionFeatures } from './features/assertions.ts';
import { BACKCHANNEL_PATH, cibaFeature } from './features/ciba.ts';
import { clientIdMetadataDocumentsFeature } from './features/client-id-metadata-documents.ts';
import { deviceAuthorizationFeature } from './features/device-authorization.ts';
import { dynamicRegistrationFeature } from './features/dynamic-registration.ts';
import { firstPartyLoginFeature } from './features/first-party-login.ts';
import { mutualTlsFeature } from './features/mutual-tls.ts';
import { statusListFeature } from './features/status-list.ts';
import { tokenExchangeFeatures } from './features/token-exchange.ts';
import { authorizationCode } from './grant-types/authorization-code.ts';
import { clientCredentials } from './grant-types/client-credentials.ts';
import { refreshToken } from './grant-types/refresh-token.ts';
import { consentPrompt } from './interaction/consent-prompt.ts';
import { loginPrompt } from './interaction/login-prompt.ts';
import { PENDING_REQUEST_SECONDS } from './interaction/pending-request.ts';
import { secondFactorPrompt } from './interaction/second-factor-prompt.ts';
import { languages } from './pages/languages.ts';
import type { Rooms } from './rooms.ts';
import { securityEventPush } from './signals/push-delivery.ts';
import { dpop } from './tokens/dpop.ts';
import { DPOP_ALGORITHMS } from './tokens/dpop-key.ts';
import { introspectionSigner } from './tokens/signed-introspection.ts';

/** What this server can do as it is configured. Metadata, registration limits and routes are derived from it. */
export function features(rooms: Rooms): readonly Feature[] {
  return allFeatures(rooms).map((feature) =>
    feature.name === undefined || rooms.enabled.has(feature.name) ? feature : switchedOff(feature),
  );
}

/** What is left of a feature that is off: what waits in the outbox from before is not sent, and not kept for a day either. */
function switchedOff({ specification, deliveryKinds = [] }: Feature): Feature {
  return { specification, deliveryKinds: deliveryKinds.map(({ kind }) => ({ kind, requestFor: async () => undefined })) };
}

/** THE list, one specification an entry. */
function allFeatures(rooms: Rooms): readonly Feature[] {
  const acceptAssertion = assertionAcceptance({
    ...rooms,
    legacyAudiences: [`${rooms.issuer}/token`, `${rooms.issuer}/par`, `${rooms.issuer}${BACKCHANNEL_PATH}`],
  });
  const reachableClasses = contextClasses({ secondFactors: rooms.enabled.has('second-factors') });
  return [
    {
      specification: 'RFC 6749 section 2.3: client authentication with a secret, and public clients',
      clientAuthentication: [clientSecretBasic, clientSecretPost, publicClient],
    },
    {
      specification: 'RFC 7523 section 2.2 with RFC 10070: client authentication with a JWT',
      name: 'private-key-jwt',
      clientAuthentication: [privateKeyJwt({ ...rooms, acceptAssertion })],
      metadata: assertionMetadata(PRIVATE_KEY_ALGORITHMS),
    },
    {
      specification: 'OpenID Connect Core section 9: client_secret_jwt',
      name: 'client-secret-jwt',
      clientAuthentication: [clientSecretJwt({ ...rooms, acceptAssertion })],
      metadata: assertionMetadata(CLIENT_SECRET_ALGORITHMS),
    },
    {
      specification: 'RFC 6749 section 3.2: token endpoint',
      endpoints: (assembled) => [tokenEndpoint({ ...rooms, ...assembled })],
    },
    {
      specification: 'RFC 6749 section 4.1: authorization code grant',
      grantTypes: [authorizationCode(rooms)],
      authorizationRules: [repeatsRule, responseTypeRule, responseModeRule, scopeRule],
      responseModes: [queryMode],
      endpoints: ({ flow }) => [authorizationEndpoint({ ...rooms, flow }), resumeEndpoint({ ...rooms, flow })],
      metadata: { response_types_supported: ['code'] },
    },
    { specification: 'RFC 6749 section 4.4: client credentials grant', name: 'client-credentials', grantTypes: [clientCredentials(rooms)] },
    deviceAuthorizationFeature(rooms),
    cibaFeature(rooms),
    { specification: 'RFC 6749 section 6: refreshing an access token', grantTypes: [refreshToken(rooms)] },
    ...tokenExchangeFeatures(rooms),
    ...assertionFeatures(rooms),
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
      name: 'revocation',
      endpoints: (assembled) => [revocationEndpoint({ ...rooms, ...assembled })],
    },
    {
      specification: 'RFC 7662: token introspection',
      name: 'introspection',
      endpoints: (assembled) => [
        introspectionEndpoint({
          ...rooms,
          ...assembled,
          signIntrospection: rooms.enabled.has('signed-introspection') ? introspectionSigner(rooms) : undefined,
        }),
      ],
    },
    {
      specification: 'RFC 9701: JWT response for token introspection',
      name: 'signed-introspection',
      metadata: { introspection_signing_alg_values_supported: rooms.algorithms },
    },
    ...statusListFeature(rooms),
    clientIdMetadataDocumentsFeature,
    {
      specification: 'RFC 8707: resource indicators',
      authorizationRules: [rooms.enabled.has('resource-indicators') ? resourceRule : noResourceRule, resourceScopeRule(rooms.resources)],
    },
    {
      specification: 'RFC 9396: rich authorization requests',
      name: 'authorization-details',
      authorizationRules: [authorizationDetailsRule(rooms.detailRequests)],
      changingMetadata: async () => detailTypesSupported(await rooms.detailTypes.names()),
    },
    {
      specification: 'RFC 9449: demonstrating proof of possession (DPoP)',
      name: 'dpop',
      senderConstraints: [dpop(rooms)],
      authorizationRules: [dpopJktRule],
      metadata: { dpop_signing_alg_values_supported: DPOP_ALGORITHMS },
    },
    ...mutualTlsFeature(rooms),
    dynamicRegistrationFeature(rooms),
    {
      specification: 'RFC 9126: pushed authorization requests',
      name: 'pushed-requests',
      requestForms: [pushedRequestForm({ ...rooms, secrets: rooms.keys.secrets, loginSeconds: PENDING_REQUEST_SECONDS })],
      endpoints: (assembled) => [pushedAuthorizationRequestEndpoint({ ...rooms, ...assembled })],
      metadata: rooms.requirePushedRequests ? { require_pushed_authorization_requests: true } : {},
    },
    {
      specification: 'RFC 9101: JWT-secured authorization requests, by value',
      name: 'request-objects',
      requestForms: [requestObjectForm(rooms)],
      metadata: { request_parameter_supported: true, request_object_signing_alg_values_supported: PRIVATE_KEY_ALGORITHMS },
    },
    {
      // Without a switch: where a form of request is off, a client that insists on it is refused, and not let in by another way.
      specification: 'RFC 9126 section 6, RFC 9101 section 10.5: forms of request that a client insists on',
      authorizationRules: [pushedRequestRule(rooms), signedRequestRule],
    },
    {
      specification: 'FAPI 2.0 Security Profile (clients with the profile fapi2; see clients/fapi2-profile.ts)',
      authorizationRules: [fapi2RedirectUriRule],
    },
    {
      specification: 'OAuth 2.0 Multiple Response Type Encoding Practices section 2.1: response modes',
      name: 'fragment',
      responseModes: [fragmentMode],
    },
    { specification: 'OAuth 2.0 Form Post Response Mode', name: 'form-post', responseModes: [formPostMode] },
    {
      specification: 'JARM: JWT secured authorization responses',
      name: 'jarm',
      responseModes: signedResponseModes(rooms),
      metadata: { authorization_signing_alg_values_supported: rooms.algorithms },
    },
    {
      specification: 'RFC 9207: issuer in the authorization response',
      metadata: { authorization_response_iss_parameter_supported: true },
    },
    {
      specification: 'OpenID Connect Core section 3.1.2.1: what a request says about the login',
      authorizationRules: [registrationRule, loginParametersRule],
      metadata: { ui_locales_supported: languages },
    },
    {
      specification: 'OpenID Connect Core and Discovery: ID tokens, claims',
      authorizationRules: [openIdRequestRule(rooms)],
      metadata: openIdProviderMetadata(rooms.algorithms),
    },
    {
      specification: 'OpenID Connect Core section 5.3: userinfo',
      name: 'userinfo',
      endpoints: ({ senderConstraints }) => [userinfoEndpoint({ ...rooms, senderConstraints })],
      metadata: { userinfo_signing_alg_values_supported: rooms.algorithms },
    },
    {
      specification: 'OpenID Connect Core section 5.5: claims asked for one by one (see authorization/openid-request.ts)',
      name: 'claims-parameter',
      metadata: { claims_parameter_supported: true },
    },
    {
      specification: 'OpenID Connect Core section 8.1: pairwise subjects (see tokens/subjects.ts)',
      name: 'pairwise-subjects',
      metadata: { subject_types_supported: ['pairwise'] },
    },
    {
      specification: 'OpenID Connect Core section 10.2, and RFC 7516: encrypted answers and requests',
      name: 'encryption',
      metadata: encryptionMetadata(rooms.enabled),
    },
    {
      specification: 'RFC 9470 sections 4 to 7, OpenID Connect Core section 5.5.1.1: step-up authentication',
      authorizationRules: [contextClassRule({ ...rooms, reachable: reachableClasses })],
      metadata: { acr_values_supported: reachableClasses },
    },
    {
      specification: 'Login page',
      prompts: [loginPrompt(rooms.subjects)],
      endpoints: ({ flow }) => [loginEndpoint({ ...rooms, flow })],
    },
    {
      specification: 'RFC 6238 with RFC 4226: one-time codes as a second factor',
      name: 'second-factors',
      prompts: [secondFactorPrompt(rooms.secondFactors)],
      endpoints: ({ flow }) => [secondFactorEndpoint({ ...rooms, flow }), secondFactorEnrolmentEndpoint({ ...rooms, flow })],
    },
    {
      specification: 'Consent page',
      prompts: [consentPrompt(rooms.consents)],
      endpoints: ({ flow }) => [consentEndpoint({ ...rooms, flow })],
    },
    firstPartyLoginFeature(rooms),
    { specification: 'OpenID Connect RP-Initiated Logout 1.0', name: 'rp-initiated-logout', endpoints: () => [logoutEndpoint(rooms)] },
    {
      specification: 'OpenID Connect Back-Channel Logout 1.0',
      name: 'back-channel-logout',
      deliveryKinds: [backChannelLogout(rooms)],
      metadata: { backchannel_logout_supported: true, backchannel_logout_session_supported: true },
    },
    {
      specification: 'OpenID Shared Signals Framework 1.0 and CAEP 1.0, with RFC 8417, RFC 8935, RFC 8936 and RFC 9493',
      name: 'shared-signals',
      deliveryKinds: [securityEventPush({ ...rooms, secrets: rooms.keys.secrets })],
      endpoints: ({ senderConstraints }) => sharedSignalsEndpoints({ ...rooms, senderConstraints }),
      wellKnown: [{ name: 'ssf-configuration', document: transmitterMetadata(rooms) }],
    },
  ];
}

/** RFC 9396 section 10. No type, no support. */
function detailTypesSupported(types: readonly string[]): Readonly<Record<string, unknown>> {
  return types.length === 0 ? {} : { authorization_details_types_supported: types };
}

/** RFC 8414 section 2: what the JWTs may be signed with, at each endpoint that authenticates clients. */
function assertionMetadata(algorithms: readonly string[]): NonNullable<Feature['metadata']> {
  return {
    token_endpoint_auth_signing_alg_values_supported: algorithms,
    revocation_endpoint_auth_signing_alg_values_supported: algorithms,
    introspection_endpoint_auth_signing_alg_values_supported: algorithms,
  };
}
