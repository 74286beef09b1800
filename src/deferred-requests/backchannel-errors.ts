import { OAuthError } from '../core/errors.ts';

/**
 * CIBA section 13: the hint names no user of this server. The specification wants it told; who may ask is registered for it, has proven who it
 * is, and may be wrong so often only (`RequestLimits.unknownUser`).
 */
export class UnknownUserId extends OAuthError {
  readonly code = 'unknown_user_id';
}

/** CIBA section 13: it is too long, or cannot be shown as it is. */
export class InvalidBindingMessage extends OAuthError {
  readonly code = 'invalid_binding_message';
}
