import { OAuthError, StorageUnavailable } from '../core/errors.ts';

/** No endpoint has this path. Not an OAuth error code: there is none, and clients do not get here. */
export class NotFound extends OAuthError {
  readonly code = 'not_found';
  override readonly status = 404;

  constructor() {
    super('There is nothing at this path: the addresses of the endpoints are in the server metadata under /.well-known/.');
  }
}

/** RFC 9110 section 15.5.6. */
export class MethodNotAllowed extends OAuthError {
  readonly code = 'invalid_request';
  override readonly status = 405;
  override readonly headers: Readonly<Record<string, string>>;

  constructor(allow: string) {
    super(`This endpoint answers ${allow} only.`);
    this.headers = { allow };
  }
}

/** RFC 9110 section 15.5.14. The connection ends with it, since nobody reads the rest of the body. */
export class ContentTooLarge extends OAuthError {
  readonly code = 'invalid_request';
  override readonly status = 413;
  override readonly headers = { connection: 'close' };
}

/** RFC 9110 section 15.5.16. */
export class UnsupportedMediaType extends OAuthError {
  readonly code = 'invalid_request';
  override readonly status = 415;
}

/** The client went away before its request was complete. There is nobody to answer. */
export class RequestAborted extends Error {
  constructor() {
    super('The client closed the connection before its request was complete.');
    this.name = 'RequestAborted';
  }
}

/** A failure as it is told to the client. */
export interface Refusal {
  readonly status: number;
  /** The `error` value. */
  readonly code: string;
  /** In the characters that RFC 6749 section 5.2 allows. */
  readonly description: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** An `OAuthError` speaks for itself; an outage is 503, so that an honest client tries again; whatever else is a bug, and tells nothing. */
export function refusalOf(failure: unknown, requestId: string): Refusal {
  if (failure instanceof OAuthError) {
    return { status: failure.status, code: failure.code, description: allowedCharacters(failure.message), headers: failure.headers };
  }
  if (failure instanceof StorageUnavailable) {
    return {
      status: 503,
      code: 'temporarily_unavailable',
      description: 'The server cannot reach its database at the moment: try again shortly.',
      headers: { 'retry-after': '1' },
    };
  }
  return {
    status: 500,
    code: 'server_error',
    description: `The server failed. The operator finds the cause in the log under the request id ${allowedCharacters(requestId)}.`,
    headers: {},
  };
}

/** RFC 6749 section 5.2: error_description is of %x20-21 / %x23-5B / %x5D-7E. */
function allowedCharacters(text: string): string {
  return DISALLOWED.test(text) ? text.replaceAll('"', "'").replaceAll(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?') : text;
}

const DISALLOWED = /[^\x20-\x21\x23-\x5b\x5d-\x7e]/;
