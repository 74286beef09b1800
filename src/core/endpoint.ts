import type { Parameters } from './parameters.ts';
import type { PeerCertificate } from './peer-certificate.ts';

/** One HTTP request as the protocol sees it: decoded, bounded, and knowing nothing of the web framework. */
export interface ProtocolRequest {
  readonly method: string;
  /** Parameters of the URL. */
  readonly query: Parameters;
  /** Parameters of an `application/x-www-form-urlencoded` body; none for a GET. */
  readonly form: Parameters;
  /** The value of an `application/json` body, where the endpoint takes one; undefined: there was no body. */
  readonly json?: unknown;
  /** Header fields by lower-case name; a field that came twice and must not is refused before it gets here. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly cookies: Readonly<Record<string, string | undefined>>;
  /** The address of the client: the socket's, or what a trusted proxy says (TRUST_PROXY). */
  readonly remoteAddress: string;
  /** The certificate of the client, from this process's TLS or from a trusted proxy (CLIENT_CERT_HEADER); nothing else says which it is. */
  readonly peerCertificate?: PeerCertificate | undefined;
  /** Names this request in the log and in the audit trail. */
  readonly requestId: string;
  /** What stands in the segments of the path that the endpoint left open, by their names. */
  readonly segments?: Readonly<Record<string, string | undefined>>;
}

/** A cookie to set, always HttpOnly, SameSite=Lax, Path=/; Secure and `__Host-` where the issuer is https. */
export interface SetCookie {
  /** The bare name; the `__Host-` prefix is put on and taken off at the edge. */
  readonly name: string;
  readonly value: string;
  /** Absent: until the browser closes. 0: delete it. */
  readonly maxAgeSeconds?: number;
}

/** Where the text of an endless answer goes. One that is not read quickly enough is cut off: memory must not hang on the slowest reader. */
export interface StreamSink {
  write(text: string): void;
}

/** One HTTP response as a value. Only the `http` room writes to a socket. */
export type ProtocolResponse =
  /** JSON that must not be stored (RFC 6749 section 5.1). */
  | { readonly kind: 'json'; readonly status: number; readonly body: object; readonly headers?: Readonly<Record<string, string>> }
  /** No content, that must not be stored. */
  | { readonly kind: 'empty'; readonly status: 200 | 204; readonly headers?: Readonly<Record<string, string>> }
  /** One signed or encrypted JWT, of its own media type, that must not be stored. */
  | {
      readonly kind: 'jwt';
      readonly status: number;
      readonly contentType: string;
      readonly body: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** A public document that caches may keep: key set, metadata. Made once, answered with an ETag. */
  | {
      readonly kind: 'document';
      readonly contentType: string;
      readonly body: string;
      readonly maxAgeSeconds: number;
      /** Where bodies differ that say the same (signatures of several nodes); absent: one is made of the body. */
      readonly entityTag?: string;
    }
  /** Text that goes on until one side ends it. `open` is called when the answer has begun, and what it returns when the other side is gone. */
  | { readonly kind: 'stream'; readonly contentType: string; readonly open: (sink: StreamSink) => () => void }
  /** 303 See Other, so that a form's body is never sent on (RFC 9700 section 4.12). */
  | { readonly kind: 'redirect'; readonly location: string; readonly cookies?: readonly SetCookie[] }
  /**
   * A page for a person. `formTargets` are the origins or schemes a form on it may lead to, through redirects (CSP form-action);
   * `scriptSource` is the digest of its one inline script, where it has one (CSP script-src).
   */
  | {
      readonly kind: 'page';
      readonly status: number;
      readonly html: string;
      readonly formTargets?: readonly string[];
      readonly scriptSource?: string;
      readonly cookies?: readonly SetCookie[];
      readonly headers?: Readonly<Record<string, string>>;
    };

/** One address of the server. Its path is relative to the issuer, and its name is derived into the metadata (RFC 8414 section 2). */
export interface Endpoint {
  readonly path: `/${string}`;
  /** Names of path segments that follow, whatever they say; absent: none. */
  readonly segments?: readonly string[];
  readonly methods: readonly ('GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE')[];
  /** What bodies it takes: a form by default. What takes JSON is for programs and never shown to a browser. */
  readonly body?: 'form' | 'json';
  /** The metadata member that announces the endpoint, such as `token_endpoint`. */
  readonly metadataName?: string;
  /**
   * Whether requests are counted by who proves to send them, or not at all, and not by their address: so it is with all that scripts of other
   * origins may call. Everything else is counted by address before anything else is done (RATE_LIMITS).
   */
  readonly countsCallers?: boolean;
  /** Whether scripts of other origins may call it. Without credentials: cookies never count here. */
  readonly crossOrigin?: boolean;
  /** @throws OAuthError for a refusal; anything else is a bug or an outage. */
  handle(request: ProtocolRequest): Promise<ProtocolResponse>;
}
