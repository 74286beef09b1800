import { CIBA_GRANT } from '../clients/deferred-grants.ts';
import { type DeferredExchangeRooms, deferredExchange } from './deferred-exchange.ts';
import type { GrantType } from './grant-type.ts';

/** CIBA section 10.1: a client in ping mode asks as one that polls, and may do so before it is told. */
export function ciba(rooms: DeferredExchangeRooms): GrantType {
  return { type: CIBA_GRANT, exchange: deferredExchange(rooms, { kind: 'ciba', credential: 'auth_req_id' }) };
}
