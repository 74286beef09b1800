/**
 * What a client may say of itself in a document of its own. A list of what is let in, and not of what is kept out, because a member that is added to
 * the metadata one day must not become everybody's: lifetimes, `skip_consent`, `first_party`, `protected_resources`, `access_token_claims` and the
 * like are the operator's. `post_logout_redirect_uris` would make us a redirector for whoever comes along.
 */
// biome-ignore format: a list of names reads best filled
export const DOCUMENT_MEMBERS: readonly string[] = [
  'client_name', 'client_uri', 'logo_uri', 'policy_uri', 'tos_uri', 'contacts', 'software_id', 'software_version', 'application_type',
  'redirect_uris', 'grant_types', 'response_types', 'scope',
  'token_endpoint_auth_method', 'token_endpoint_auth_signing_alg', 'jwks', 'jwks_uri',
  'dpop_bound_access_tokens', 'tls_client_certificate_bound_access_tokens',
  'require_pushed_authorization_requests', 'require_signed_request_object', 'request_object_signing_alg',
  'authorization_signed_response_alg', 'id_token_signed_response_alg', 'userinfo_signed_response_alg',
  'subject_type', 'default_max_age', 'require_auth_time',
  'backchannel_logout_uri', 'backchannel_logout_session_required', 'revoke_grants_on_logout',
];

/** What one may say that registers itself (RFC 7591), whose every request is counted. The last line is looked at further (self-registration-policy.ts). */
// biome-ignore format: a list of names reads best filled
export const REGISTRATION_MEMBERS: readonly string[] = [
  ...DOCUMENT_MEMBERS,
  'post_logout_redirect_uris', 'response_modes', 'profile', 'sector_identifier_uri', 'default_acr_values',
  'tls_client_auth_subject_dn', 'tls_client_auth_san_dns', 'tls_client_auth_san_uri', 'tls_client_auth_san_ip', 'tls_client_auth_san_email',
  'request_object_encryption_alg', 'request_object_encryption_enc',
  'authorization_encrypted_response_alg', 'authorization_encrypted_response_enc',
  'id_token_encrypted_response_alg', 'id_token_encrypted_response_enc', 'userinfo_encrypted_response_alg', 'userinfo_encrypted_response_enc',
  'backchannel_token_delivery_mode', 'backchannel_client_notification_endpoint', 'backchannel_authentication_request_signing_alg',
  'allowed_resources', 'require_pkce', 'refresh_token_rotation',
];
