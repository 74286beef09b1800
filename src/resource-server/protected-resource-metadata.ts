/** RFC 9728 section 2: what a client learns of the API before it has a token. */
export interface ProtectedResourceMetadata {
  readonly resource: string;
  readonly authorization_servers: readonly string[];
  readonly bearer_methods_supported: readonly ['header'];
  readonly scopes_supported?: readonly string[];
  readonly resource_name?: string;
  readonly resource_documentation?: string;
  readonly dpop_signing_alg_values_supported?: readonly string[];
  readonly dpop_bound_access_tokens_required?: boolean;
  readonly tls_client_certificate_bound_access_tokens?: boolean;
}

/** RFC 9728 section 3: the well-known part goes between host and path of the resource identifier. */
export function metadataPath(resource: string): `/${string}` {
  const { pathname, search } = new URL(resource);
  return `/.well-known/oauth-protected-resource${pathname === '/' ? '' : pathname}${search}`;
}

/** The same as an absolute address, for the challenge (section 5.1). */
export function metadataUrl(resource: string): string {
  return new URL(resource).origin + metadataPath(resource);
}
