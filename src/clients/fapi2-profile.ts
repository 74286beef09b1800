import type { SigningAlgorithm } from '../config/config.ts';
import type { EnabledFeatures } from '../config/feature-switches.ts';
import type { Client } from './client.ts';
import type { ClientMetadata } from './client-metadata.ts';
import { CIBA_GRANT, DEVICE_CODE_GRANT } from './deferred-grants.ts';

/**
 * Section 5.4.1: "use PS256, ES256, or EdDSA (using the Ed25519 variant) algorithms". By RFC 9864 that variant has a name of its own. So
 * neither ES384, ES512 nor ML-DSA, strong as they are.
 */
export const FAPI2_ALGORITHMS: readonly string[] = ['PS256', 'ES256', 'EdDSA', 'Ed25519'];

/** Section 5.3.2.1: "shall issue authorization codes with a maximum lifetime of 60 seconds". */
export const FAPI2_CODE_SECONDS = 60;

/** Whether a client is held to the FAPI 2.0 Security Profile. Whatever that asks for beyond its metadata is asked by this. */
export function isFapi2({ metadata }: Pick<Client, 'metadata'>): boolean {
  return metadata.profile === 'fapi2';
}

/**
 * Those of `algorithms` that the client's profile permits.
 * @throws Error when none is left: SIGNING_ALGS has changed since the client was registered, and a signature that its profile forbids is no help.
 */
export function permittedAlgorithms<Name extends string>(
  client: Pick<Client, 'id' | 'metadata'>,
  algorithms: readonly [Name, ...Name[]],
): readonly [Name, ...Name[]] {
  if (!isFapi2(client)) {
    return algorithms;
  }
  const [first, ...others] = algorithms.filter((name) => FAPI2_ALGORITHMS.includes(name));
  if (first === undefined) {
    throw new Error(`the client ${client.id} has the profile fapi2, and none of ${algorithms.join(', ')} is among its algorithms`);
  }
  return [first, ...others];
}

/**
 * The metadata of a client with `profile: fapi2`: what the FAPI 2.0 Security Profile demands is switched on, so that the rules that know nothing of
 * the profile hold it. That is sections 5.3.2.1 (sender-constrained tokens, no rotation) and 5.3.2.2 (PAR, PKCE).
 * @param given the members as they were sent: one that says otherwise is refused, rather than changed behind the operator's back.
 * @param refuse is told what is wrong, one sentence that begins with the member's name, and throws.
 */
export function fapi2Metadata(
  metadata: ClientMetadata,
  given: Readonly<Record<string, unknown>>,
  rules: {
    readonly features: EnabledFeatures;
    readonly signingAlgorithms: readonly SigningAlgorithm[];
    readonly refuse: (problem: string) => never;
  },
): ClientMetadata {
  const problem =
    featureProblem(metadata, rules.features) ??
    authenticationProblem(metadata) ??
    algorithmProblem(metadata) ??
    grantTypeProblem(metadata) ??
    metadata.redirect_uris.map(transportProblem).find((found) => found !== undefined) ??
    (rules.signingAlgorithms.some((name) => FAPI2_ALGORITHMS.includes(name))
      ? undefined
      : `profile: fapi2 needs one of ${FAPI2_ALGORITHMS.join(', ')} among SIGNING_ALGS.`);
  if (problem !== undefined) {
    return rules.refuse(problem);
  }
  const demanded = {
    ...DEMANDED,
    ...(metadata.tls_client_certificate_bound_access_tokens === true ? {} : { dpop_bound_access_tokens: true }),
  };
  const contradiction = Object.entries(demanded).find(([name, value]) => (given[name] ?? value) !== value);
  if (contradiction !== undefined) {
    const [name, value] = contradiction;
    return rules.refuse(`${name}: must be ${value} with the profile fapi2, or left out.`);
  }
  return { ...metadata, ...demanded };

  /** Section 5.3.2.2: http is for native clients on a loopback interface, by IP literal (RFC 8252 sections 7.3 and 8.3). */
  function transportProblem(uri: string): string | undefined {
    const isSafe = !/^http:/i.test(uri) || (metadata.application_type === 'native' && !/^http:\/\/localhost/i.test(uri));
    return isSafe
      ? undefined
      : 'redirect_uris: must not be http with the profile fapi2, but for a native application on 127.0.0.1 or [::1].';
  }
}

const DEMANDED = { require_pkce: true, require_pushed_authorization_requests: true, refresh_token_rotation: false } as const;

/** What the profile cannot be held without. */
function featureProblem({ tls_client_certificate_bound_access_tokens }: ClientMetadata, features: EnabledFeatures): string | undefined {
  if (!features.has('pushed-requests')) {
    return 'profile: fapi2 needs the feature pushed-requests, which is off on this server (FEATURES).';
  }
  return features.has('dpop') || tls_client_certificate_bound_access_tokens === true
    ? undefined
    : 'profile: fapi2 needs the feature dpop, which is off on this server (FEATURES), or tls_client_certificate_bound_access_tokens.';
}

/** The profile knows requests that were pushed and go through one browser: a device's is neither, and can be sent to anybody (RFC 10027). */
function grantTypeProblem(metadata: ClientMetadata): string | undefined {
  if (metadata.grant_types.includes(DEVICE_CODE_GRANT)) {
    return `grant_types: ${DEVICE_CODE_GRANT} is not for clients with the profile fapi2.`;
  }
  // FAPI-CIBA section 5.2.2: "shall only accept signed authentication requests". What goes from one server to another is as good as pushed.
  return metadata.grant_types.includes(CIBA_GRANT) && metadata.backchannel_authentication_request_signing_alg === undefined
    ? `backchannel_authentication_request_signing_alg: the grant type ${CIBA_GRANT} needs it with the profile fapi2.`
    : undefined;
}

// Section 5.3.2.1: mutual TLS or private_key_jwt. So no public clients and no shared secrets.
const METHODS: readonly string[] = ['private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth'];

function authenticationProblem(metadata: ClientMetadata): string | undefined {
  if (!METHODS.includes(metadata.token_endpoint_auth_method)) {
    return `token_endpoint_auth_method: must be one of ${METHODS.join(', ')} with the profile fapi2.`;
  }
  // Section 5.3.2.1: the issuer, as a text, is the one audience of an assertion.
  return metadata.client_assertion_legacy_audience === true
    ? 'client_assertion_legacy_audience: must not be true with the profile fapi2.'
    : undefined;
}

const ALGORITHM_MEMBERS = [
  'token_endpoint_auth_signing_alg',
  'request_object_signing_alg',
  'backchannel_authentication_request_signing_alg',
  'id_token_signed_response_alg',
  'access_token_signed_response_alg',
  'userinfo_signed_response_alg',
  'authorization_signed_response_alg',
  'introspection_signed_response_alg',
] as const;

function algorithmProblem(metadata: ClientMetadata): string | undefined {
  const wrong = ALGORITHM_MEMBERS.find((name) => !FAPI2_ALGORITHMS.includes(metadata[name] ?? 'ES256'));
  return wrong === undefined ? undefined : `${wrong}: must be one of ${FAPI2_ALGORITHMS.join(', ')} with the profile fapi2.`;
}
