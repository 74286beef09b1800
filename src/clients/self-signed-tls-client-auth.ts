import type { ClientAuthenticationMethod } from './authentication.ts';
import { certificateClaim } from './certificate-claim.ts';
import { validityProblem } from './certificate-trust.ts';
import type { ClientKeys } from './client-keys.ts';

/** RFC 8705 section 2.2: the client made its certificate itself, and it is registered byte for byte, as `x5c` in the client's key set. */
export function selfSignedTlsClientAuth(rooms: {
  readonly clientKeys: Pick<ClientKeys, 'certificateProblem'>;
}): ClientAuthenticationMethod {
  const name = 'self_signed_tls_client_auth';
  return {
    name,
    claim: (request) =>
      certificateClaim(request, async (client, { x509 }, now) => {
        const { token_endpoint_auth_method: method } = client.metadata;
        if (method !== name) {
          // Whoever may not use the method has no keys fetched.
          return { reason: `registered for ${method}` };
        }
        const problem = validityProblem(x509, now) ?? (await rooms.clientKeys.certificateProblem(client, x509.raw));
        return problem === undefined ? true : { reason: problem };
      }),
  };
}
