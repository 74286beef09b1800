/**
 * What a client did that the protocol refuses. `message` travels to the client as `error_description`, so it says what to do about it and
 * nothing that a stranger may not know; `detail` is for the log alone. Whatever is not an `OAuthError` is a bug or an outage.
 */
export abstract class OAuthError extends Error {
  /** The `error` value, as registered in the IANA "OAuth Extensions Error" registry. */
  abstract readonly code: string;
  /** The HTTP status where the error is answered as JSON. */
  readonly status: number = 400;
  /** Headers that belong to the error, lower-case names. */
  readonly headers: Readonly<Record<string, string>> = {};
  /** Why, for the operator's log: never sent. */
  readonly detail: string | undefined;

  constructor(description: string, detail?: string) {
    super(description);
    this.name = new.target.name;
    this.detail = detail;
  }
}

/** RFC 6749 section 5.2: a parameter is missing, repeated, malformed or out of place. */
export class InvalidRequest extends OAuthError {
  readonly code = 'invalid_request';
}

/**
 * RFC 6749 section 5.2: client authentication failed. One text for every cause, so that an unknown client and a wrong secret look alike; only
 * whoever has proved to hold the client's key or secret is given a `hint`, a sentence that says what else is wrong. A client that used the
 * `Authorization` header is answered with the challenge of its scheme.
 */
export class InvalidClient extends OAuthError {
  readonly code = 'invalid_client';
  override readonly status = 401;
  override readonly headers = { 'www-authenticate': 'Basic realm="token endpoint", charset="UTF-8"' };

  constructor(detail: string, hint?: string) {
    super(
      `Client authentication failed: ${hint ?? 'check client_id, the secret or key, and that the client uses the token_endpoint_auth_method it is registered with.'}`,
      detail,
    );
  }
}

/** RFC 6749 section 5.2: the code or refresh token is wrong, expired, revoked, used, or another client's. */
export class InvalidGrant extends OAuthError {
  readonly code = 'invalid_grant';
}

/** RFC 6749 sections 4.1.2.1 and 5.2: the client is not registered for this grant type or response type. */
export class UnauthorizedClient extends OAuthError {
  readonly code = 'unauthorized_client';
}

/** RFC 6749 section 5.2. */
export class UnsupportedGrantType extends OAuthError {
  readonly code = 'unsupported_grant_type';
}

/** RFC 6749 section 4.1.2.1. */
export class UnsupportedResponseType extends OAuthError {
  readonly code = 'unsupported_response_type';
}

/** RFC 6749 sections 4.1.2.1 and 5.2: a scope is unknown, malformed, or more than may be asked for. */
export class InvalidScope extends OAuthError {
  readonly code = 'invalid_scope';
}

/** RFC 8707 section 2: a resource is malformed, unknown, or not allowed for this client or grant. */
export class InvalidTarget extends OAuthError {
  readonly code = 'invalid_target';
}

/** RFC 9396 section 5: details are of an unknown type, do not fit their type, or are more than may be asked for. */
export class InvalidAuthorizationDetails extends OAuthError {
  readonly code = 'invalid_authorization_details';
}

/** RFC 6749 section 4.1.2.1: the user (or a policy) said no. */
export class AccessDenied extends OAuthError {
  readonly code = 'access_denied';
}

/** OpenID Connect Core section 3.1.2.6: `prompt=none`, and the user would have to log in. */
export class LoginRequired extends OAuthError {
  readonly code = 'login_required';
}

/** OpenID Connect Core section 3.1.2.6: `prompt=none`, and the user would have to consent. */
export class ConsentRequired extends OAuthError {
  readonly code = 'consent_required';
}

/** OpenID Connect Core Error Code unmet_authentication_requirements 1.0: no login here is as good as the request insists on. */
export class UnmetAuthenticationRequirements extends OAuthError {
  readonly code = 'unmet_authentication_requirements';
}

/** OpenID Connect Core section 3.1.2.6 and RFC 9101 section 5: this way of passing the request is not supported. */
export class RequestFormNotSupported extends OAuthError {
  readonly code: 'request_not_supported' | 'request_uri_not_supported' | 'registration_not_supported';

  constructor(code: RequestFormNotSupported['code'], description: string) {
    super(description);
    this.code = code;
  }
}

/** RFC 9101 section 7: the request object is not signed by the client, not for this server, too old, or contradicts the request. */
export class InvalidRequestObject extends OAuthError {
  readonly code = 'invalid_request_object';
}

/** RFC 9101 section 7: the `request_uri` is unknown, too old, used, or another client's. */
export class InvalidRequestUri extends OAuthError {
  readonly code = 'invalid_request_uri';
}

/** RFC 6749 section 4.1.2.1 and, at the token endpoint, the same word with 503: come back in `retryAfterSeconds`. */
export class TemporarilyUnavailable extends OAuthError {
  readonly code = 'temporarily_unavailable';
  override readonly status = 503;
  override readonly headers: Readonly<Record<string, string>>;

  constructor(description: string, detail?: string, retryAfterSeconds = 1) {
    super(description, detail);
    this.headers = { 'retry-after': String(retryAfterSeconds) };
  }
}

/**
 * The database could not be asked, or could not say that it wrote (disk full, connection lost, locked). Nothing that was asked of it may be
 * taken as done. Answered as 503, so that an honest client tries again and goes on.
 */
export class StorageUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StorageUnavailable';
  }
}
