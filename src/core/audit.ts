/** The events an operator may want to be told of, by stable names. */
export type AuditEventName =
  | 'login'
  | 'login_failed'
  | 'login_throttled'
  | 'stepped_up'
  | 'second_factor_enrolled'
  | 'second_factor_failed'
  | 'second_factor_throttled'
  | 'recovery_code_used'
  | 'logout'
  | 'consent_granted'
  | 'consent_denied'
  | 'grant_created'
  | 'grant_revoked'
  | 'authorization_code_reuse'
  | 'refresh_token_reuse'
  | 'refresh_token_ahead_of_database'
  | 'access_token_revoked'
  | 'token_exchanged'
  | 'client_authentication_failed'
  | 'rate_limited'
  | 'client_assertion_legacy_audience'
  | 'client_document_refused'
  | 'delivery_abandoned'
  | 'delivery_refused'
  | 'security_event_refused'
  | 'security_events_dropped'
  | 'event_stream_created'
  | 'event_stream_deleted'
  | 'event_stream_status_changed'
  | 'signing_key_activated'
  | 'signing_key_removed'
  | 'encryption_key_activated'
  | 'encryption_key_removed';

/** Where audit events go. Fields are identifiers and reasons: never a token, a code, a secret or a password. */
export interface AuditTrail {
  record(event: AuditEventName, fields: Readonly<Record<string, string | number | boolean | undefined>>): void;
}
