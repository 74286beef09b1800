import type { Feature } from '../feature.ts';
import { tokenExchange } from '../grant-types/token-exchange.ts';
import type { Rooms } from '../rooms.ts';

/** On, because no client exchanges anything that its own metadata does not name (`token_exchange`). */
export function tokenExchangeFeature(rooms: Rooms): Feature {
  return { specification: 'RFC 8693: token exchange', name: 'token-exchange', grantTypes: [tokenExchange(rooms)] };
}
