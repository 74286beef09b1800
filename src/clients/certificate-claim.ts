import type { ProtocolRequest } from '../core/endpoint.ts';
import type { PeerCertificate } from '../core/peer-certificate.ts';
import type { ClientClaim, Verdict } from './authentication.ts';
import type { Client } from './client.ts';

/**
 * What a request claims that names a client and leaves the rest to the certificate of its connection: `client_id` must be in every such request
 * (RFC 8705 section 2). A request with a secret, an assertion or an `Authorization` header claims something else, and its certificate takes no
 * part in that.
 */
export function certificateClaim(
  { form, headers, peerCertificate }: ProtocolRequest,
  verify: (client: Client, certificate: PeerCertificate, now: number) => Verdict | Promise<Verdict>,
): ClientClaim | undefined {
  const clientId = form.get('client_id');
  const saysMore = [headers['authorization'], form.get('client_secret'), form.get('client_assertion')].some((one) => one !== undefined);
  if (clientId === undefined || saysMore) {
    return undefined;
  }
  return {
    clientId,
    byNameAlone: true,
    verify: (client, now) =>
      peerCertificate === undefined ? { reason: 'no client certificate on the connection' } : verify(client, peerCertificate, now),
  };
}
