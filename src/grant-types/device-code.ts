import { DEVICE_CODE_GRANT } from '../clients/deferred-grants.ts';
import { type DeferredExchangeRooms, deferredExchange } from './deferred-exchange.ts';
import type { GrantType } from './grant-type.ts';

/** RFC 8628 section 3.4. */
export function deviceCode(rooms: DeferredExchangeRooms): GrantType {
  return { type: DEVICE_CODE_GRANT, exchange: deferredExchange(rooms, { kind: 'device', credential: 'device_code' }) };
}
