import { isWithin, parseScope } from '../core/scope.ts';
import type { ClientMetadata } from './client-metadata.ts';
import { DOCUMENT_MEMBERS } from './self-registered-members.ts';

/** What the operator lets clients have that nobody but themselves registered. */
export interface SelfRegisteredPolicy {
  /** SELF_REGISTERED_SCOPE, space-delimited: no other value can they ask for. */
  readonly scope: string;
  /** SELF_REGISTERED_RESOURCES: resource indicators (RFC 8707) they may ask for. */
  readonly resources: readonly string[];
}

/** RFC 7591 section 2: a user stands behind every token. What other grant types a client names is for other servers. */
const OWN_GRANT_TYPES = ['authorization_code', 'refresh_token'];
const OWN_RESPONSE_TYPES = ['code'];

/** The part of what a client says of itself that counts, to be read as metadata is. */
export function ownMembers(input: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const own = Object.fromEntries(DOCUMENT_MEMBERS.flatMap((name) => (Object.hasOwn(input, name) ? [[name, input[name]]] : [])));
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
