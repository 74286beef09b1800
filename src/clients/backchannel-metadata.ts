import { PRIVATE_KEY_ALGORITHMS } from './client-algorithms.ts';
import { CIBA_GRANT } from './deferred-grants.ts';
import type { MetadataReader } from './metadata-reader.ts';

/**
 * How a client is told that a user has decided (CIBA section 5). Not supported: push, which sends the tokens themselves to an address, bound to no
 * key and to no authentication of the client but a token of its own making; FAPI-CIBA section 5.2.2 forbids it.
 */
export const DELIVERY_MODES = ['poll', 'ping'] as const;

/** OpenID Connect Client-Initiated Backchannel Authentication Flow section 4. */
export interface BackchannelClientMetadata {
  readonly backchannel_token_delivery_mode?: (typeof DELIVERY_MODES)[number];
  /** Where it is told that a user has decided (ping). */
  readonly backchannel_client_notification_endpoint?: string;
  /** The one JWS algorithm of its requests, all of which must be signed. Absent: none may be. */
  readonly backchannel_authentication_request_signing_alg?: string;
}

/**
 * Reads these members, each for itself.
 * @param rules.privateAddresses whether a client may be told by http: only on this machine, and only with OUTBOUND_PRIVATE_ADDRESSES.
 * @param rules.refuse is told what is wrong, one sentence that begins with the member's name, and throws.
 */
export function readBackchannelMetadata(
  members: MetadataReader,
  rules: { readonly privateAddresses: boolean; readonly refuse: (problem: string) => never },
): BackchannelClientMetadata {
  const { privateAddresses, refuse } = rules;
  const { backchannel_client_notification_endpoint: endpoint } = members.webUris(['backchannel_client_notification_endpoint']);
  if (endpoint !== undefined && !isReachable(endpoint, privateAddresses)) {
    return refuse('backchannel_client_notification_endpoint: must be an https address without user information and fragment.');
  }
  if (members.flag('backchannel_user_code_parameter') === true) {
    return refuse('backchannel_user_code_parameter: must be false, for user codes are not supported.');
  }
  const algorithm = 'backchannel_authentication_request_signing_alg';
  return {
    ...members.optional('backchannel_token_delivery_mode', members.oneOf('backchannel_token_delivery_mode', DELIVERY_MODES)),
    ...members.optional('backchannel_client_notification_endpoint', endpoint),
    ...members.optional(algorithm, members.oneOf(algorithm, PRIVATE_KEY_ALGORITHMS)),
  };
}

/** What the members allow each for itself, but not together. @returns one sentence that begins with the member's name. */
export function backchannelProblem(
  metadata: BackchannelClientMetadata & {
    readonly grant_types: readonly string[];
    readonly token_endpoint_auth_method: string;
    readonly jwks?: unknown;
    readonly jwks_uri?: string;
  },
): string | undefined {
  const mode = metadata.backchannel_token_delivery_mode;
  if (metadata.grant_types.includes(CIBA_GRANT) !== (mode !== undefined)) {
    return `backchannel_token_delivery_mode: it and the grant type ${CIBA_GRANT} come together or not at all.`;
  }
  // CIBA section 7.1: the request is authenticated, for it is sent to the user's own device.
  if (mode !== undefined && metadata.token_endpoint_auth_method === 'none') {
    return `grant_types: ${CIBA_GRANT} needs a client that authenticates (token_endpoint_auth_method is none).`;
  }
  if ((mode === 'ping') !== (metadata.backchannel_client_notification_endpoint !== undefined)) {
    return 'backchannel_client_notification_endpoint: it and the delivery mode ping come together or not at all.';
  }
  const isSigned = metadata.backchannel_authentication_request_signing_alg !== undefined;
  return isSigned && metadata.jwks === undefined && metadata.jwks_uri === undefined
    ? 'backchannel_authentication_request_signing_alg: needs the public keys of the client, in jwks or jwks_uri.'
    : undefined;
}

function isReachable(uri: string, privateAddresses: boolean): boolean {
  const { protocol, username, password } = new URL(uri);
  return !uri.includes('#') && username === '' && password === '' && (protocol === 'https:' || privateAddresses);
}
