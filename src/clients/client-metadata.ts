import type { SigningAlgorithm } from '../config/config.ts';

/** How a client proves itself (IANA registry "OAuth Token Endpoint Authentication Methods"). */
export type TokenEndpointAuthMethod = 'client_secret_basic' | 'client_secret_post' | 'none';

/**
 * RFC 7591 section 2 client metadata, checked and with its defaults filled in, and the members Keyturn adds. The names are those of the
 * wire, because this is the document that is registered, stored and shown.
 */
export interface ClientMetadata {
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
  /** First-party: the user is not asked. */
  readonly skip_consent: boolean;
  readonly require_pkce: boolean;
  /** Members the deployment adds to this client's access tokens. */
  readonly access_token_claims: Readonly<Record<string, unknown>>;
}
