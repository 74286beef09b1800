import type { Feature } from '../feature.ts';
import { jwtBearer } from '../grant-types/jwt-bearer.ts';
import type { Rooms } from '../rooms.ts';
import { grantAssertionReader } from '../trusted-issuers/grant-assertions.ts';
import { spiffeJwt, workloadIdentityJwt } from '../trusted-issuers/workload-identity.ts';
import { workloadTokenVerifier } from '../trusted-issuers/workload-token.ts';

/** What assertions of other issuers are good for. Without a registered issuer, nothing. */
export function assertionFeatures(rooms: Rooms): readonly Feature[] {
  const verifyToken = workloadTokenVerifier(rooms);
  return [
    {
      specification: 'RFC 7523 section 2.1 with RFC 7521 and RFC 10070: JWT assertions as authorization grants',
      name: 'jwt-bearer',
      grantTypes: [jwtBearer({ ...rooms, readAssertion: grantAssertionReader({ ...rooms, takesIdJags: rooms.enabled.has('id-jag') }) })],
    },
    {
      specification: 'draft-ietf-oauth-identity-assertion-authz-grant-03: ID-JAGs of trusted issuers as authorization grants',
      name: 'id-jag',
      metadata: { authorization_grant_profiles_supported: ['urn:ietf:params:oauth:grant-profile:id-jag'] },
    },
    {
      specification:
        'RFC 7523 section 2.2 with RFC 7521, and draft-ietf-oauth-spiffe-client-auth-02: tokens of a platform as client credentials',
      name: 'workload-identity',
      clientAuthentication: [workloadIdentityJwt({ verifyToken }), spiffeJwt({ verifyToken })],
    },
  ];
}
