import type { ClientAuthenticationMethod } from '../clients/authentication.ts';
import { clientAssertionOf, JWT_SPIFFE } from '../clients/client-assertion.ts';
import { parseSpiffeId } from '../clients/workload-metadata.ts';
import type { WorkloadTokenVerifier } from './workload-token.ts';

/**
 * Client authentication with a token of the platform that the client runs on, such as the service account token of a Kubernetes pod
 * (RFC 7521 section 4.2, RFC 7523 section 3, RFC 10070 section 4): the client has no secret and no key.
 */
export function workloadIdentityJwt(rooms: { readonly verifyToken: WorkloadTokenVerifier }): ClientAuthenticationMethod {
  return {
    name: 'workload_identity_jwt',
    claim(request) {
      const assertion = clientAssertionOf(request);
      if (assertion === undefined || assertion.usesHmac) {
        return undefined;
      }
      return {
        clientId: assertion.clientId,
        sharesAssertion: true,
        async verify(client, now) {
          const { workload_identity: identity, token_endpoint_auth_method: method } = client.metadata;
          return identity === undefined ? { reason: `registered for ${method}` } : rooms.verifyToken(assertion.jwt, identity, now);
        },
      };
    },
  };
}

/** draft-ietf-oauth-spiffe-client-auth-02 section 3.1: client authentication with a JWT-SVID. */
export function spiffeJwt(rooms: { readonly verifyToken: WorkloadTokenVerifier }): ClientAuthenticationMethod {
  return {
    name: 'spiffe_jwt',
    claim(request) {
      const assertion = clientAssertionOf(request, JWT_SPIFFE);
      if (assertion === undefined) {
        return undefined;
      }
      return {
        clientId: assertion.clientId,
        async verify(client, now) {
          const { spiffe_id: subject, token_endpoint_auth_method: method } = client.metadata;
          const { trustDomain } = parseSpiffeId(subject) ?? {};
          return subject === undefined
            ? { reason: `registered for ${method}` }
            : rooms.verifyToken(assertion.jwt, { issuer: `spiffe://${trustDomain}`, subject }, now);
        },
      };
    },
  };
}
