import type { EnabledFeatures, FeatureName } from '../config/feature-switches.ts';
import { CIBA_GRANT, DEVICE_CODE_GRANT } from './deferred-grants.ts';
import { TOKEN_EXCHANGE } from './token-exchange-metadata.ts';

/** A member of the metadata that is of a feature, whatever its value; or one value of a member. */
type OfFeature = string | readonly [member: string, value: string];

const SIGNED_MODES = ['jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'];

/**
 * What clients register for each feature that has a switch. While it is off they cannot: a promise to a client that nobody keeps is worse
 * than none. A new switch has to say here what it takes along.
 */
const OF_FEATURES: Readonly<Record<FeatureName, readonly OfFeature[]>> = {
  'client-credentials': [['grant_types', 'client_credentials']],
  'token-exchange': [['grant_types', TOKEN_EXCHANGE], 'token_exchange'],
  'jwt-bearer': [['grant_types', 'urn:ietf:params:oauth:grant-type:jwt-bearer']],
  'id-jag': ['id_jag'],
  'workload-identity': [
    ['token_endpoint_auth_method', 'workload_identity_jwt'],
    ['token_endpoint_auth_method', 'spiffe_jwt'],
    'workload_identity',
    'spiffe_id',
  ],
  'private-key-jwt': [['token_endpoint_auth_method', 'private_key_jwt']],
  'client-secret-jwt': [['token_endpoint_auth_method', 'client_secret_jwt']],
  'device-authorization': [['grant_types', DEVICE_CODE_GRANT]],
  ciba: [
    ['grant_types', CIBA_GRANT],
    'backchannel_token_delivery_mode',
    'backchannel_client_notification_endpoint',
    'backchannel_authentication_request_signing_alg',
  ],
  'second-factors': [['default_acr_values', 'urn:keyturn:acr:2fa']],
  'first-party-login': ['first_party'],
  dpop: ['dpop_bound_access_tokens'],
  'resource-indicators': ['allowed_resources'],
  'authorization-details': ['authorization_details_types'],
  'pushed-requests': ['require_pushed_authorization_requests'],
  'request-objects': ['require_signed_request_object', 'request_object_signing_alg', 'request_object_encryption_alg'],
  fragment: [
    ['response_modes', 'fragment'],
    ['response_modes', 'fragment.jwt'],
  ],
  'form-post': [
    ['response_modes', 'form_post'],
    ['response_modes', 'form_post.jwt'],
  ],
  jarm: [
    'authorization_signed_response_alg',
    'authorization_encrypted_response_alg',
    ...SIGNED_MODES.map((mode) => ['response_modes', mode] as const),
  ],
  revocation: [],
  introspection: ['protected_resources'],
  'signed-introspection': ['introspection_signed_response_alg', 'introspection_encrypted_response_alg'],
  userinfo: ['userinfo_signed_response_alg', 'userinfo_encrypted_response_alg'],
  'claims-parameter': [],
  'status-list': [],
  'shared-signals': [],
  'dynamic-registration': [],
  'pairwise-subjects': [['subject_type', 'pairwise'], 'sector_identifier_uri'],
  // Refused where these members are read (encryption-metadata.ts).
  encryption: [],
  'rp-initiated-logout': ['post_logout_redirect_uris'],
  // Such clients are not registered at all.
  'client-id-metadata-documents': [],
  'back-channel-logout': ['backchannel_logout_uri', 'backchannel_logout_session_required'],
};

/**
 * Looks for what only a feature that is off would give a meaning.
 * @param refuse is told what is wrong, one sentence that begins with the member's name, and throws.
 */
export function refuseSwitchedOff(
  input: Readonly<Record<string, unknown>>,
  enabled: EnabledFeatures,
  refuse: (problem: string) => never,
): void {
  for (const [feature, parts] of Object.entries(OF_FEATURES) as [FeatureName, readonly OfFeature[]][]) {
    const found = enabled.has(feature) ? undefined : parts.find((part) => isAskedFor(input, part));
    if (found !== undefined) {
      const [member, value] = typeof found === 'string' ? [found, ''] : found;
      refuse(`${member}: ${value === '' ? '' : `${value} `}needs the feature ${feature}, which is off on this server (FEATURES).`);
    }
  }
}

/**
 * The metadata without what only a feature that is off would give a meaning: for a client that cannot be told, because it says the same to all
 * servers (RFC 7591 section 2: the server "MUST ignore any client metadata sent by the client that it does not understand").
 * @param kept members that are left in whatever is off, for the client to be refused by them.
 */
export function withoutSwitchedOff(
  input: Readonly<Record<string, unknown>>,
  enabled: EnabledFeatures,
  kept: readonly string[],
): Readonly<Record<string, unknown>> {
  const off = (Object.entries(OF_FEATURES) as [FeatureName, readonly OfFeature[]][]).flatMap(([name, parts]) =>
    enabled.has(name) ? [] : parts,
  );
  const members = new Set(off.filter((part) => typeof part === 'string'));
  return Object.fromEntries(
    Object.entries(input).flatMap(([name, value]) => {
      const isLeftOut =
        !kept.includes(name) &&
        (members.has(name) || off.some((part) => typeof part !== 'string' && part[0] === name && part[1] === value));
      return isLeftOut ? [] : [[name, value]];
    }),
  );
}

function isAskedFor(input: Readonly<Record<string, unknown>>, part: OfFeature): boolean {
  if (typeof part === 'string') {
    return saysSomething(valueOf(input, part));
  }
  const [member, wanted] = part;
  const value = valueOf(input, member);
  return value === wanted || (Array.isArray(value) && value.includes(wanted));
}

/** `false` and nothing at all is what holds anyhow: whole documents are sent back to be changed. */
function saysSomething(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false && value !== '' && !(Array.isArray(value) && value.length === 0);
}

function valueOf(input: Readonly<Record<string, unknown>>, member: string): unknown {
  return Object.hasOwn(input, member) ? input[member] : undefined;
}
