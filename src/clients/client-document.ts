import type { ClientMetadata } from './client-metadata.ts';
import { InvalidClientMetadata, type RegistrationLimits, readClientMetadata } from './client-metadata-rules.ts';
import { ownMembers, type SelfRegisteredPolicy } from './self-registered-policy.ts';
import { withoutSwitchedOff } from './switched-off-metadata.ts';
import { PROMISES } from './weaker-metadata.ts';

/** Everything with a secret is out (section 4.1); certificates would need an authority that knows the client. */
const METHODS = ['none', 'private_key_jwt'];
const SECRET_MEMBERS = ['client_secret', 'client_secret_expires_at'];

/**
 * Reads a Client ID Metadata Document (draft-ietf-oauth-client-id-metadata-document-02 section 4).
 * @param address where it was: the client_id.
 * @throws InvalidClientMetadata naming what is wrong with it.
 */
export function readClientDocument(
  address: string,
  document: unknown,
  limits: RegistrationLimits,
  policy: SelfRegisteredPolicy,
): ClientMetadata {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return refuse('the document must be a JSON object.');
  }
  const input = document as Readonly<Record<string, unknown>>;
  // RFC 3986 section 6.2.1, simple string comparison: or whoever can have any text served anywhere has a client there.
  if (member(input, 'client_id') !== address) {
    return refuse('client_id: must be the address of the document, character for character.');
  }
  const secret = SECRET_MEMBERS.find((name) => member(input, name) !== undefined);
  if (secret !== undefined) {
    return refuse(`${secret}: must not be in a document that everybody can read.`);
  }
  const method = member(input, 'token_endpoint_auth_method') ?? 'none';
  if (typeof method !== 'string' || !METHODS.includes(method)) {
    return refuse(`token_endpoint_auth_method: must be one of ${METHODS.join(', ')}.`);
  }
  // The Model Context Protocol (2026-07-28, Client Registration) has it among the required ones.
  if (typeof member(input, 'client_name') !== 'string') {
    return refuse('client_name: is missing.');
  }
  // A document is one for all servers, and what this one does not know is for others. But not what the client promises to hold itself to, nor how
  // it authenticates: it is not let in by less than it says.
  const understood = withoutSwitchedOff(ownMembers(input), limits.features, [...PROMISES, 'token_endpoint_auth_method']);
  const { metadata } = readClientMetadata({ scope: policy.scope, ...understood, token_endpoint_auth_method: method }, limits);
  return refuseForeign(address, metadata);
}

/** What only a login through the browser could be of use for; and logout tokens go to the client's own server, not to somebody it points at. */
function refuseForeign(address: string, metadata: ClientMetadata): ClientMetadata {
  if (!metadata.grant_types.includes('authorization_code')) {
    return refuse('grant_types: must have authorization_code.');
  }
  const { backchannel_logout_uri: uri } = metadata;
  if (uri !== undefined && new URL(uri).origin !== new URL(address).origin) {
    return refuse('backchannel_logout_uri: must be of the same origin as the document.');
  }
  return metadata;
}

function member(input: Readonly<Record<string, unknown>>, name: string): unknown {
  const value = Object.hasOwn(input, name) ? input[name] : undefined;
  return value === null ? undefined : value;
}

function refuse(problem: string): never {
  throw new InvalidClientMetadata(problem);
}
