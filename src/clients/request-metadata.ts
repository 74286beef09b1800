import type { SigningAlgorithm } from '../config/config.ts';
import { PRIVATE_KEY_ALGORITHMS } from './client-algorithms.ts';
import type { MetadataReader } from './metadata-reader.ts';

/** What a client says about the form of its authorization requests, and of the signed answers it gets. */
export interface RequestClientMetadata {
  /** RFC 9126 section 6: no request of this client is taken straight from a browser. */
  readonly require_pushed_authorization_requests?: boolean;
  /** RFC 9101 section 10.5: no request of this client is taken that it has not signed. */
  readonly require_signed_request_object?: boolean;
  /** The one JWS algorithm of its request objects; absent: any asymmetric one. */
  readonly request_object_signing_alg?: string;
  /** The response modes it may ask for (FAPI 2.0 Message Signing section 5.3.3). Absent: any, but see the next member. */
  readonly response_modes?: readonly string[];
  /**
   * What signs its authorization responses (JARM section 3). Absent: RS256, where the server has such a key. Present without `response_modes`:
   * it is given signed ones alone.
   */
  readonly authorization_signed_response_alg?: SigningAlgorithm;
  /** What signs the answers it gets at introspection (RFC 9701 section 6). Absent: likewise. */
  readonly introspection_signed_response_alg?: SigningAlgorithm;
}

/** Reads these members, each for itself. */
export function readRequestMetadata(
  members: MetadataReader,
  limits: { readonly signingAlgorithms: readonly SigningAlgorithm[]; readonly responseModes: readonly string[] },
): RequestClientMetadata {
  const { signingAlgorithms, responseModes } = limits;
  const registeredModes = members.listOf('response_modes', responseModes);
  return {
    ...members.optional('require_pushed_authorization_requests', members.flag('require_pushed_authorization_requests')),
    ...members.optional('require_signed_request_object', members.flag('require_signed_request_object')),
    ...members.optional('request_object_signing_alg', members.oneOf('request_object_signing_alg', PRIVATE_KEY_ALGORITHMS)),
    // An empty list would leave it nothing: it says no more than none at all.
    ...members.optional('response_modes', registeredModes?.length === 0 ? undefined : registeredModes),
    ...members.optional('authorization_signed_response_alg', members.oneOf('authorization_signed_response_alg', signingAlgorithms)),
    ...members.optional('introspection_signed_response_alg', members.oneOf('introspection_signed_response_alg', signingAlgorithms)),
  };
}
