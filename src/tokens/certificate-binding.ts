import { createHash } from 'node:crypto';
import type { PeerCertificate } from '../core/peer-certificate.ts';
import { CertificateChallenge } from './certificate-challenge.ts';
import type { ProvenKey, SenderConstraint } from './sender-constraint.ts';

/**
 * RFC 8705 section 3: tokens that are of use only on connections with the certificate they were asked for on. The handshake has proved the key,
 * so nothing is left to verify, and the certificate may be anybody's: it need not be one the client authenticates with. Clients say in their
 * metadata that they want it; a certificate that a service mesh puts on every connection binds nothing by itself.
 */
export const certificateBinding: SenderConstraint = {
  method: 'x5t#S256',
  async prove({ peerCertificate }, _path, { metadata }) {
    return metadata.tls_client_certificate_bound_access_tokens === true && peerCertificate !== undefined
      ? provenBy(peerCertificate)
      : undefined;
  },
  async proveAccess({ peerCertificate, headers: { authorization } }) {
    if (authorization !== undefined && !/^bearer /i.test(String(authorization))) {
      throw new CertificateChallenge('The access token is bound to a certificate: present it with the scheme Bearer.');
    }
    if (peerCertificate === undefined) {
      throw new CertificateChallenge('The access token is bound to a certificate, and there is none on this connection.');
    }
    return provenBy(peerCertificate);
  },
};

/** Section 3.1: "the base64url-encoded SHA-256 hash of the DER encoding of the X.509 certificate". */
function provenBy({ x509 }: PeerCertificate): ProvenKey {
  return { confirmation: { method: 'x5t#S256', thumbprint: createHash('sha256').update(x509.raw).digest('base64url') }, headers: {} };
}
