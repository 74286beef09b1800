import type { X509Certificate } from 'node:crypto';
import type { EpochSeconds } from '../core/clock.ts';
import type { PeerCertificate } from '../core/peer-certificate.ts';

// RFC 5280 section 4.2.1.12.
const CLIENT_AUTHENTICATION = '1.3.6.1.5.5.7.3.2';

/** Why a certificate is not good at this moment; undefined when it is. */
export function validityProblem({ validFrom, validTo }: X509Certificate, now: EpochSeconds): string | undefined {
  if (now * 1000 < Date.parse(validFrom)) {
    return 'the certificate is not valid yet';
  }
  return now * 1000 <= Date.parse(validTo) ? undefined : 'the certificate has expired';
}

/**
 * Why nobody vouches for a certificate; undefined when one of the authorities does. Where TLS in this process has looked, its word counts. For
 * a certificate from a proxy the authority must have issued it itself: chains are not followed, so an intermediate one is listed like any
 * other.
 */
export function trustProblem(
  { x509, chainHolds }: PeerCertificate,
  authorities: readonly X509Certificate[],
  now: EpochSeconds,
): string | undefined {
  const problem = validityProblem(x509, now);
  if (problem !== undefined) {
    return problem;
  }
  const isIssued = chainHolds ?? authorities.some((authority) => issued(authority, x509, now));
  if (!isIssued) {
    return 'the certificate was not issued by an authority of TLS_CLIENT_CA';
  }
  // The extended key usage, in spite of the name.
  const { keyUsage } = x509 as { readonly keyUsage: readonly string[] | undefined };
  return keyUsage === undefined || keyUsage.includes(CLIENT_AUTHENTICATION)
    ? undefined
    : 'the certificate is not for client authentication';
}

function issued(authority: X509Certificate, certificate: X509Certificate, now: EpochSeconds): boolean {
  return (
    authority.ca &&
    validityProblem(authority, now) === undefined &&
    certificate.checkIssued(authority) &&
    certificate.verify(authority.publicKey)
  );
}
