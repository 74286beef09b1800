import type { SigningAlgorithm } from '../config/config.ts';
import type { BackchannelClientMetadata } from './backchannel-metadata.ts';
import type { CertificateClientMetadata } from './certificate-metadata.ts';
import type { ClientKeySet } from './client-key-set.ts';
import type { EncryptionClientMetadata } from './encryption-metadata.ts';
import type { IdJagClientMetadata } from './id-jag-metadata.ts';
import type { LogoutClientMetadata } from './logout-metadata.ts';
import type { OpenIdClientMetadata } from './openid-metadata.ts';
import type { RequestClientMetadata } from './request-metadata.ts';
import type { TokenExchangeClientMetadata } from './token-exchange-metadata.ts';
import type { WorkloadClientMetadata } from './workload-metadata.ts';

/** How a client proves itself (IANA registry "OAuth Token Endpoint Authentication Methods"). */
export type TokenEndpointAuthMethod =
  | 'client_secret_basic'
  | 'client_secret_post'
  | 'client_secret_jwt'
  | 'private_key_jwt'
  | 'tls_client_auth'
  | 'self_signed_tls_client_auth'
  | 'workload_identity_jwt'
  | 'spiffe_jwt'
  | 'none';

/**
 * RFC 7591 section 2 client metadata, checked and with its defaults filled in, and the members Keyturn adds. The names are those of the
 * wire, because this is the document that is registered, stored and shown.
 */
export interface ClientMetadata
  extends BackchannelClientMetadata,
    CertificateClientMetadata,
    OpenIdClientMetadata,
    RequestClientMetadata,
    EncryptionClientMetadata,
    IdJagClientMetadata,
    LogoutClientMetadata,
    TokenExchangeClientMetadata,
    WorkloadClientMetadata {
  readonly client_name?: string;
  readonly client_uri?: string;
  readonly logo_uri?: string;
  readonly policy_uri?: string;
  readonly tos_uri?: string;
  readonly contacts?: readonly string[];
  readonly software_id?: string;
  readonly software_version?: string;
  readonly redirect_uris: readonly string[];
  readonly grant_types: readonly string[];
  readonly response_types: readonly string[];
  readonly token_endpoint_auth_method: TokenEndpointAuthMethod;
  /** The one JWS algorithm of its assertions (OpenID Connect Dynamic Client Registration section 2); absent: any that the method has. */
  readonly token_endpoint_auth_signing_alg?: string;
  /** Its assertions may name endpoints in `aud`, as before RFC 10070. */
  readonly client_assertion_legacy_audience?: boolean;
  /** Its public keys, by value or by address, never both. */
  readonly jwks?: ClientKeySet;
  readonly jwks_uri?: string;
  /** Scope values the client may ask for, space-delimited. */
  readonly scope: string;
  /** Lifetimes in seconds that replace the server's. */
  readonly access_token_ttl?: number;
  readonly refresh_token_idle_ttl?: number;
  /** 0: no cap. */
  readonly refresh_token_absolute_ttl?: number;
  readonly refresh_token_rotation: boolean;
  readonly access_token_signed_response_alg?: SigningAlgorithm;
  /** RFC 8707 resource indicators the client may ask for; its tokens are for the first one when it names none. */
  readonly allowed_resources: readonly string[];
  /** Resources (RFC 8707) this client is the server of: it may introspect the tokens meant for them. */
  readonly protected_resources: readonly string[];
  /** RFC 9396 section 10: the types of authorization details the client may ask for; absent: none. */
  readonly authorization_details_types?: readonly string[];
  /**
   * The operator's own: its users type their passwords into it (draft-ietf-oauth-first-party-apps-03). `skip_consent` is another matter: a
   * client whose users are not asked sends them to the login page all the same.
   */
  readonly first_party?: boolean;
  /** The user is not asked. */
  readonly skip_consent: boolean;
  readonly require_pkce: boolean;
  /** `fapi2`: held to the FAPI 2.0 Security Profile. Absent: to no profile. */
  readonly profile?: 'fapi2';
  /** RFC 9449 section 5.2: no token without a DPoP proof. */
  readonly dpop_bound_access_tokens: boolean;
  /** Members the deployment adds to this client's access tokens. */
  readonly access_token_claims: Readonly<Record<string, unknown>>;
}
