import { selfSignedTlsClientAuth } from '../clients/self-signed-tls-client-auth.ts';
import { tlsClientAuth } from '../clients/tls-client-auth.ts';
import type { Feature } from '../feature.ts';
import type { Rooms } from '../rooms.ts';
import { certificateBinding } from '../tokens/certificate-binding.ts';

/** On with MUTUAL_TLS alone: without, no connection has a certificate of its client. */
export function mutualTlsFeature({ mutualTls, clientKeys }: Rooms): readonly Feature[] {
  if (mutualTls === undefined) {
    return [];
  }
  const { authorities } = mutualTls;
  return [
    {
      specification: 'RFC 8705: client certificates (mutual TLS)',
      clientAuthentication: [
        ...(authorities === undefined ? [] : [tlsClientAuth({ authorities })]),
        selfSignedTlsClientAuth({ clientKeys }),
      ],
      senderConstraints: [certificateBinding],
      metadata: { tls_client_certificate_bound_access_tokens: true },
    },
  ];
}
