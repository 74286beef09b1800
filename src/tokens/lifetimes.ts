import type { Client } from '../clients/client.ts';
import { FAPI2_CODE_SECONDS, isFapi2 } from '../clients/fapi2-profile.ts';
import type { Lifetimes } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { ResourceMetadata } from '../resources/resource.ts';

/** How long the client's authorization codes live, in seconds. */
export function authorizationCodeSeconds(client: Client, { authorizationCodeSeconds: seconds }: Lifetimes): number {
  return isFapi2(client) ? Math.min(seconds, FAPI2_CODE_SECONDS) : seconds;
}

/**
 * How long the client's access tokens live, in seconds: the shortest of what it is registered with and what each resource of the token is. The
 * server's setting stands in for a resource that says nothing, where the client says nothing either.
 */
export function accessTokenSeconds(
  { metadata: { access_token_ttl: ownSeconds } }: Client,
  lifetimes: Lifetimes,
  resources: readonly (ResourceMetadata | undefined)[] = [],
): number {
  const usual = ownSeconds ?? lifetimes.accessTokenSeconds;
  // The cap may have been lowered since the client was registered, and no key outlives it for long.
  const longest = lifetimes.accessTokenMaxSeconds;
  let seconds = Math.min(resources.length === 0 ? usual : (ownSeconds ?? longest), longest);
  for (const resource of resources) {
    seconds = Math.min(seconds, resource?.access_token_ttl ?? usual);
  }
  return seconds;
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
