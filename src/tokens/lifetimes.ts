import type { Client } from '../clients/client.ts';
import { FAPI2_CODE_SECONDS, isFapi2 } from '../clients/fapi2-profile.ts';
import type { Lifetimes } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';

/** How long the client's authorization codes live, in seconds. */
export function authorizationCodeSeconds(client: Client, { authorizationCodeSeconds: seconds }: Lifetimes): number {
  return isFapi2(client) ? Math.min(seconds, FAPI2_CODE_SECONDS) : seconds;
}

/** How long the client's access tokens live, in seconds. */
export function accessTokenSeconds(client: Client, lifetimes: Lifetimes): number {
  // The cap may have been lowered since the client was registered, and no key outlives it for long.
  return Math.min(client.metadata.access_token_ttl ?? lifetimes.accessTokenSeconds, lifetimes.accessTokenMaxSeconds);
}

/** How long the client's ID tokens live, in seconds. */
export function idTokenSeconds(client: Client, lifetimes: Lifetimes): number {
  return Math.min(client.metadata.id_token_ttl ?? lifetimes.idTokenSeconds, lifetimes.accessTokenMaxSeconds);
}

/** From one use of the client's refresh tokens to the next, in seconds. */
export function refreshTokenIdleSeconds(client: Client, lifetimes: Lifetimes): number {
  return client.metadata.refresh_token_idle_ttl ?? lifetimes.refreshTokenIdleSeconds;
}

/** When a grant made now for the client ends, however often it is refreshed; undefined: never by this. */
export function absoluteExpiry(client: Client, lifetimes: Lifetimes, now: EpochSeconds): EpochSeconds | undefined {
  const own = client.metadata.refresh_token_absolute_ttl;
  if (own === undefined) {
    return lifetimes.refreshTokenAbsoluteSeconds === undefined ? undefined : now + lifetimes.refreshTokenAbsoluteSeconds;
  }
  return own === 0 ? undefined : now + own;
}
