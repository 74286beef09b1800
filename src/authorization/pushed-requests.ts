import type { EpochSeconds } from '../core/clock.ts';
import { InvalidRequest, InvalidRequestUri, OAuthError, RequestFormNotSupported } from '../core/errors.ts';
import { IDENTIFIER_BYTES, identifierFromBytes, writeIdentifier } from '../core/identifiers.ts';
import type { Parameters } from '../core/parameters.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { mintBytes, proveBytes } from '../tokens/authenticated-bytes.ts';
import type { AuthorizationRule } from './authorization.ts';
import type { RequestForm } from './received-request.ts';

/** A pushed authorization request (RFC 9126), as it was checked and kept. */
export interface PushedRequest {
  readonly id: string;
  readonly clientId: string;
  readonly parameters: Parameters;
  readonly isSigned: boolean;
  /** When a browser must have come with it. */
  readonly expiresAt: EpochSeconds;
}

/** A pushed request as it is kept. */
export interface KeptPushedRequest extends PushedRequest {
  /** When it goes: when it expires, or, once a browser has come with it, when the login that began then must be over. */
  readonly keptUntil: EpochSeconds;
}

/** The records of pushed requests. */
export interface PushedRequests {
  /**
   * Keeps a request until it expires. One statement looks how many of its client are kept at `now`: of those who ask at the very same moment
   * some may go beyond `most`, and nobody after them.
   * @returns false when there are `most` already, and nothing was kept.
   */
  create(request: PushedRequest, most: number, now: EpochSeconds): Promise<boolean>;
  /** @returns undefined when there is none, or it has been answered. */
  findUnused(id: string): Promise<KeptPushedRequest | undefined>;
  /** Keeps a request longer: a browser came with it. */
  keep(id: string, until: EpochSeconds): Promise<void>;
  /**
   * Marks a request as answered, durably. Of any number of calls, on any number of nodes, exactly one is answered true: the user may look at
   * the pages as often as they like, but one answer goes to the client.
   */
  use(id: string, now: EpochSeconds): Promise<boolean>;
}

const PREFIX = 'urn:ietf:params:oauth:request_uri:';
const DOMAIN = 'keyturn pushed authorization request';

/** The `request_uri` of a pushed request: proves itself as tokens do, so that an invented one is refused without I/O, and none can be guessed. */
export function pushedRequestUri(secrets: ServerSecrets, id: string): string {
  const payload = Buffer.allocUnsafe(IDENTIFIER_BYTES);
  writeIdentifier(id, payload, 0);
  return PREFIX + mintBytes(secrets, DOMAIN, payload);
}

/** RFC 9126 section 2.3: "the authorization server responds with an HTTP 429 (Too Many Requests) status code". */
export class TooManyPushedRequests extends OAuthError {
  readonly code = 'temporarily_unavailable';
  override readonly status = 429;
  override readonly headers: Readonly<Record<string, string>>;

  /** @param retryAfterSeconds by then what nobody came with has expired. */
  constructor(retryAfterSeconds: number) {
    super('The client has pushed more requests than are kept for one client: try again later.');
    this.headers = { 'retry-after': String(retryAfterSeconds) };
  }
}

/** RFC 9126 section 4: what a client pushed before counts, whatever else the browser brings. @param rooms.loginSeconds how long a login may take. */
export function pushedRequestForm(rooms: {
  readonly secrets: ServerSecrets;
  readonly pushedRequests: Pick<PushedRequests, 'findUnused' | 'keep'>;
  readonly loginSeconds: number;
}): RequestForm {
  const { secrets, pushedRequests, loginSeconds } = rooms;
  return {
    parameter: 'request_uri',
    async open(value, client, now) {
      if (!value.startsWith(PREFIX)) {
        // Not supported: references to elsewhere (RFC 9101 section 5.2), which make a server fetch what a stranger's link names.
        throw new RequestFormNotSupported(
          'request_uri_not_supported',
          'The request_uri is none of this server: push the request to the pushed_authorization_request_endpoint.',
        );
      }
      const payload = proveBytes(secrets, DOMAIN, value.slice(PREFIX.length));
      const pushed = payload === undefined ? undefined : await pushedRequests.findUnused(identifierFromBytes(payload, 0));
      // RFC 9126 section 2.2: "The request_uri value MUST be bound to the client that posted the authorization request."
      if (pushed === undefined || pushed.clientId !== client.id || now >= pushed.expiresAt) {
        throw new InvalidRequestUri('The request_uri is unknown, too old, or was used before: begin again.');
      }
      // Once, for the longest that any browser may need which comes in time: opening it again and again writes nothing more.
      const end = pushed.expiresAt + loginSeconds;
      if (pushed.keptUntil < end) {
        await pushedRequests.keep(pushed.id, end);
      }
      return { parameters: pushed.parameters, isSigned: pushed.isSigned, pushedId: pushed.id };
    },
  };
}

/** RFC 9126 section 4 and 6: a client that must push, or a server where all must, takes no request straight from a browser. */
export function pushedRequestRule(server: { readonly requirePushedRequests: boolean }): AuthorizationRule {
  return {
    name: 'pushed request',
    onlyByBrowser: true,
    apply({ client, pushedId }) {
      const isRequired = server.requirePushedRequests || client.metadata.require_pushed_authorization_requests === true;
      if (isRequired && pushedId === undefined) {
        throw new InvalidRequest('The request must be pushed first, and sent as the request_uri of the answer (RFC 9126).');
      }
      return {};
    },
  };
}
