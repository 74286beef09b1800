import type { Logger } from 'pino';
import type { AuditEventName, AuditTrail } from '../core/audit.ts';

/**
 * The audit trail as lines of the log: `{"audit":true,"event":…}`. What looks like an attack is a warning, the rest is information, so that a
 * LOG_LEVEL of `warn` keeps the former.
 */
export function auditLog(logger: Logger): AuditTrail {
  return {
    record: (event, fields) => logger[WARNINGS.has(event) ? 'warn' : 'info']({ audit: true, event, ...fields }),
  };
}

const WARNINGS: ReadonlySet<AuditEventName> = new Set<AuditEventName>([
  'login_throttled',
  'authorization_code_reuse',
  'refresh_token_reuse',
  'deferred_request_reuse',
  'user_code_throttled',
  'unknown_user_hinted',
  'refresh_token_ahead_of_database',
  'client_authentication_failed',
  'rate_limited',
  'client_assertion_legacy_audience',
  'registration_access_token_refused',
  'delivery_abandoned',
  'delivery_refused',
  'security_event_refused',
  'security_events_dropped',
]);
