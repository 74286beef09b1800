import type { X509Certificate } from 'node:crypto';
import type { ClientAuthenticationMethod } from './authentication.ts';
import { certificateClaim } from './certificate-claim.ts';
import { expectedName } from './certificate-metadata.ts';
import { type CertificateNames, certificateNames } from './certificate-names.ts';
import { trustProblem } from './certificate-trust.ts';
import type { ClientMetadata } from './client-metadata.ts';

/**
 * RFC 8705 section 2.1: the client has a certificate from an authority, with the one name that is registered for it.
 * @param rooms.authorities of TLS_CLIENT_CA: whoever they give a certificate with a client's name is that client.
 */
export function tlsClientAuth(rooms: { readonly authorities: readonly X509Certificate[] }): ClientAuthenticationMethod {
  return {
    name: 'tls_client_auth',
    claim: (request) =>
      certificateClaim(request, ({ metadata }, certificate, now) => {
        const problem = trustProblem(certificate, rooms.authorities, now);
        if (problem !== undefined) {
          return { reason: problem };
        }
        return hasExpectedName(metadata, certificate.x509) ? true : { reason: 'the certificate has not the name that is registered' };
      }),
  };
}

function hasExpectedName(metadata: ClientMetadata, x509: X509Certificate): boolean {
  const expected = expectedName(metadata);
  const names = namesOf(x509);
  if (expected === undefined || names === undefined) {
    return false;
  }
  return expected.kind === 'subject' ? names.subject === expected.value : names[expected.kind].includes(expected.value);
}

function namesOf(x509: X509Certificate): CertificateNames | undefined {
  try {
    return certificateNames(x509);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) {
      return undefined;
    }
    throw error;
  }
}
