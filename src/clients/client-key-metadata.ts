import { hasCertificates } from './certificate-metadata.ts';
import { CLIENT_SECRET_ALGORITHMS, PRIVATE_KEY_ALGORITHMS } from './client-algorithms.ts';
import { readKeySet } from './client-key-set.ts';
import type { ClientMetadata, TokenEndpointAuthMethod } from './client-metadata.ts';
import type { MetadataReader } from './metadata-reader.ts';

/** The members of the metadata that say by which keys, and how, a client signs. */
export type ClientKeyMetadata = Pick<
  ClientMetadata,
  'jwks' | 'jwks_uri' | 'token_endpoint_auth_signing_alg' | 'client_assertion_legacy_audience'
>;

/**
 * Reads them (RFC 7591 section 2; OpenID Connect Dynamic Client Registration section 2).
 * @param rules.privateAddresses whether a `jwks_uri` may be http: only loopback is ever fetched so.
 * @param rules.refuse is told what is wrong, one sentence that begins with the member's name, and throws.
 */
export function clientKeyMetadata(
  members: MetadataReader,
  method: TokenEndpointAuthMethod,
  rules: { readonly privateAddresses: boolean; readonly refuse: (problem: string) => never },
): ClientKeyMetadata {
  const { refuse } = rules;
  const given = members.object('jwks');
  const jwks = given === undefined ? undefined : readKeySet(given, (problem) => refuse(`jwks: ${problem}.`));
  const uri = members.text('jwks_uri') || undefined;
  const legacy = members.flag('client_assertion_legacy_audience') === true || undefined;
  const algorithm = members.oneOf('token_endpoint_auth_signing_alg', algorithmsOf(method));
  if (uri !== undefined && !isFetchable(uri, rules.privateAddresses)) {
    return refuse('jwks_uri: must be an https address without user information and fragment.');
  }
  // RFC 7591 section 2: "The "jwks_uri" and "jwks" parameters MUST NOT both be present".
  if (jwks !== undefined && uri !== undefined) {
    return refuse('jwks_uri: must not be given together with jwks.');
  }
  if (method === 'private_key_jwt' && jwks === undefined && uri === undefined) {
    return refuse('jwks_uri: private_key_jwt needs the public keys of the client, here or in jwks.');
  }
  // RFC 8705 section 2.2.2.
  if (method === 'self_signed_tls_client_auth' && uri === undefined && (jwks === undefined || !hasCertificates(jwks))) {
    return refuse('jwks: self_signed_tls_client_auth needs the certificate of the client, as x5c of a key here or behind jwks_uri.');
  }
  return {
    ...members.optional('jwks', jwks),
    ...members.optional('jwks_uri', uri),
    ...members.optional('token_endpoint_auth_signing_alg', algorithm),
    ...members.optional('client_assertion_legacy_audience', legacy),
  };
}

/** What a client may be registered for. Of another method it says nothing, and may be any. */
function algorithmsOf(method: TokenEndpointAuthMethod): readonly string[] {
  switch (method) {
    case 'private_key_jwt':
      return PRIVATE_KEY_ALGORITHMS;
    case 'client_secret_jwt':
      return CLIENT_SECRET_ALGORITHMS;
    default:
      return [...PRIVATE_KEY_ALGORITHMS, ...CLIENT_SECRET_ALGORITHMS];
  }
}

function isFetchable(uri: string, privateAddresses: boolean): boolean {
  if (!URL.canParse(uri) || uri.includes('#')) {
    return false;
  }
  const { protocol, username, password } = new URL(uri);
  return username === '' && password === '' && (protocol === 'https:' || (protocol === 'http:' && privateAddresses));
}
