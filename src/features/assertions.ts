import type { Feature } from '../feature.ts';
import { jwtBearer } from '../grant-types/jwt-bearer.ts';
import type { Rooms } from '../rooms.ts';
import { grantAssertionReader } from '../trusted-issuers/grant-assertions.ts';

/** What assertions of other issuers are good for. Without a registered issuer, nothing. */
export function assertionFeatures(rooms: Rooms): readonly Feature[] {
  return [
    {
      specification: 'RFC 7523 section 2.1 with RFC 7521 and RFC 10070: JWT assertions as authorization grants',
      name: 'jwt-bearer',
      grantTypes: [jwtBearer({ ...rooms, readAssertion: grantAssertionReader(rooms) })],
    },
  ];
}
