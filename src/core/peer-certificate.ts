import type { X509Certificate } from 'node:crypto';

/** The certificate of whoever is at the other end of the connection (RFC 8705). Its private key is proven by the TLS handshake. */
export interface PeerCertificate {
  readonly x509: X509Certificate;
  /**
   * Whether a chain from it to a certificate authority of TLS_CLIENT_CA holds, as TLS in this process found. undefined: the handshake was a
   * trusted proxy's, and what that one found is not known.
   */
  readonly chainHolds: boolean | undefined;
}
