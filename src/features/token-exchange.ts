import type { Feature } from '../feature.ts';
import { ID_JAG, type IdJagExchange, idJagExchange } from '../grant-types/id-jag-exchange.ts';
import { idJagSubjects } from '../grant-types/id-jag-subject.ts';
import { tokenExchange } from '../grant-types/token-exchange.ts';
import type { Rooms } from '../rooms.ts';
import { idJagIssuer } from '../tokens/id-jag.ts';

/** On, because no client exchanges anything that its own metadata does not name (`token_exchange`, `id_jag`). */
export function tokenExchangeFeatures(rooms: Rooms): readonly Feature[] {
  const isOn = rooms.enabled.has('token-exchange');
  const exchangeForIdJag = rooms.enabled.has('id-jag') ? forIdJag(rooms) : undefined;
  return [
    {
      specification: 'RFC 8693: token exchange',
      name: 'token-exchange',
      grantTypes: [tokenExchange({ ...rooms, exchangeForIdJag })],
    },
    {
      specification: 'draft-ietf-oauth-identity-assertion-authz-grant-03 section 4.3: ID-JAGs by token exchange, as the identity provider',
      name: 'id-jag',
      // Named by the draft (section 7.1), defined by draft-ietf-oauth-identity-chaining.
      metadata: isOn ? { identity_chaining_requested_token_types_supported: [ID_JAG] } : {},
    },
  ];
}

function forIdJag(rooms: Rooms): IdJagExchange {
  return idJagExchange({ ...rooms, idJagSubjects: idJagSubjects(rooms), issueIdJag: idJagIssuer(rooms) });
}
