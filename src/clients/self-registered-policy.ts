import { isWithin, parseScope } from '../core/scope.ts';
import type { ClientMetadata } from './client-metadata.ts';

/** What the operator lets clients have that nobody but themselves registered. */
export interface SelfRegisteredPolicy {
  /** SELF_REGISTERED_SCOPE, space-delimited: no other value can they ask for. */
  readonly scope: string;
  /** SELF_REGISTERED_RESOURCES: resource indicators (RFC 8707) they may ask for. */
  readonly resources: readonly string[];
}

/**
 * What a client may say of itself. A list of what is let in, and not of what is kept out, because a member that is added to the metadata one
 * day must not become everybody's: lifetimes, `skip_consent`, `profile`, `protected_resources`, `allowed_resources`, `access_token_claims` and
 * the like are the operator's. `post_logout_redirect_uris` would make us a redirector for whoever comes along.
 */
// biome-ignore format: a list of names reads best filled
const OWN_MEMBERS = [
  'client_name', 'client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'contacts', 'software_id', 'software_version', 'application_type',
  'redirect_uris', 'grant_types', 'response_types', 'scope',
  'token_endpoint_auth_method', 'token_endpoint_auth_signing_alg', 'jwks', 'jwks_uri',
  'dpop_bound_access_tokens', 'require_pushed_authorization_requests', 'require_signed_request_object', 'request_object_signing_alg',
  'authorization_signed_response_alg', 'id_token_signed_response_alg', 'userinfo_signed_response_alg',
  'subject_type', 'default_max_age', 'require_auth_time',
  'backchannel_logout_uri', 'backchannel_logout_session_required', 'revoke_grants_on_logout',
];

/** RFC 7591 section 2: a user stands behind every token. What other grant types a client names is for other servers. */
const OWN_GRANT_TYPES = ['authorization_code', 'refresh_token'];
const OWN_RESPONSE_TYPES = ['code'];

/** The part of what a client says of itself that counts, to be read as metadata is. */
export function ownMembers(input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const own = Object.fromEntries(OWN_MEMBERS.flatMap((name) => (Object.hasOwn(input, name) ? [[name, input[name]]] : [])));
  return {
    ...own,
    ...narrowed('grant_types', own['grant_types'], OWN_GRANT_TYPES),
    ...narrowed('response_types', own['response_types'], OWN_RESPONSE_TYPES),
  };
}

/** The metadata with what the operator decides. Applied whenever it is looked at: the settings of today count, and not those of its day. */
export function underPolicy(metadata: ClientMetadata, policy: SelfRegisteredPolicy): ClientMetadata {
  const allowed = parseScope(policy.scope);
  const asked = parseScope(metadata.scope);
  const scope = isWithin(asked, allowed) ? metadata.scope : asked.filter((value) => allowed.includes(value)).join(' ');
  return { ...metadata, scope, allowed_resources: policy.resources, protected_resources: [], skip_consent: false, require_pkce: true };
}

function narrowed(name: string, value: unknown, own: readonly string[]): Readonly<Record<string, unknown>> {
  return Array.isArray(value) ? { [name]: value.filter((each: unknown) => own.some((known) => known === each)) } : {};
}
