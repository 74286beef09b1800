/** A request to a protected resource, as far as its authorization depends on it. The adapters make one of their framework's. */
export interface IncomingRequest {
  readonly method: string;
  /** Path and query as they arrived. The origin is that of the resource identifier: what a request says of its own host proves nothing. */
  readonly target: string;
  /** The value of a header field by its lower-case name; several fields of one name joined by a comma, as RFC 9110 section 5.3 has it. */
  header(name: string): string | undefined;
  /** The client's certificate in DER, of the connection or believed of a proxy; undefined: it has none. */
  readonly clientCertificate?: Uint8Array | undefined;
}
