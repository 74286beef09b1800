import { X509Certificate } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { TLSSocket } from 'node:tls';
import { InvalidRequest } from '../core/errors.ts';
import type { PeerCertificate } from '../core/peer-certificate.ts';

/** Where client certificates are looked for. */
export interface ClientCertificates {
  /** The header in which a trusted proxy passes them on; undefined: no proxy does. */
  readonly header: string | undefined;
  /** PEM of the authorities that TLS in this process finds chains to; undefined: none. */
  readonly authorities: string | undefined;
}

/** The certificate of the client that sent a request. @param throughTrustedProxy whether the socket is a trusted proxy's. */
export type ClientCertificateReader = (request: IncomingMessage, throughTrustedProxy: boolean) => PeerCertificate | undefined;

/**
 * Finds them in the header of a trusted proxy, and else on the socket. The header of anybody else is not looked at, and neither is a
 * certificate of the proxy itself: it is not the client's.
 * @throws InvalidRequest from the reader, when a trusted proxy's header is not one certificate.
 */
export function clientCertificateReader(certificates: ClientCertificates | undefined): ClientCertificateReader {
  if (certificates === undefined) {
    return () => undefined;
  }
  const { header, authorities } = certificates;
  const onSockets = new WeakMap<TLSSocket, PeerCertificate>();

  return ({ socket, headers }, throughTrustedProxy) => {
    if (throughTrustedProxy) {
      return header === undefined ? undefined : passedOn(headers[header]);
    }
    if (!(socket instanceof TLSSocket)) {
      return undefined;
    }
    const known = onSockets.get(socket);
    const x509 = known === undefined ? socket.getPeerX509Certificate() : undefined;
    if (x509 === undefined) {
      return known;
    }
    // Without authorities of our own Node would have asked those of the web.
    const found = { x509, chainHolds: authorities !== undefined && socket.authorized };
    onSockets.set(socket, found);
    return found;
  };
}

// RFC 9440 section 2.2: a byte sequence of RFC 8941, `:MIIB…:`. HAProxy and Caddy can also write it bare.
const BASE64 = /^:?([A-Za-z0-9+/]+={0,2}):?$/;
// nginx ($ssl_client_escaped_cert) and others: PEM, percent-encoded to make one line of it.
const PEM = /^-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----\s*$/;

function passedOn(header: string | string[] | undefined): PeerCertificate | undefined {
  const text = String(header ?? '').trim();
  // What a proxy writes whose client showed none.
  if (text === '') {
    return undefined;
  }
  const decoded = percentDecoded(text);
  const base64 = BASE64.exec(decoded)?.[1] ?? PEM.exec(decoded)?.[1];
  try {
    if (base64 !== undefined) {
      return { x509: new X509Certificate(Buffer.from(base64, 'base64')), chainHolds: undefined };
    }
  } catch {
    // Told below, like anything else that is no certificate.
  }
  throw new InvalidRequest(
    'The client certificate that the proxy passed on cannot be read: it must be one, in a form of docs/mutual-tls.md.',
  );
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
