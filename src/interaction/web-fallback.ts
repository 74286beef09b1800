import type { AddressedRequest, Authorization } from '../authorization/authorization.ts';
import type { PushedRequests } from '../authorization/pushed-requests.ts';
import { pushedRequestUri } from '../authorization/pushed-requests.ts';
import type { EnabledFeatures } from '../config/feature-switches.ts';
import type { Clock } from '../core/clock.ts';
import { newIdentifier } from '../core/identifiers.ts';
import type { KeyRing } from '../keys/key-ring.ts';

/** The members that lead on to a browser: none where the client begins by itself. */
export interface WebFallback {
  readonly request_uri?: string;
  readonly expires_in?: number;
}

/**
 * Keeps a request for a browser to go on with (draft-ietf-oauth-first-party-apps-03 section 5.2.2.1.1), as if the client had pushed it. Not
 * without a `code_challenge`: "the authorization server MUST NOT return a request_uri", which would be a pushed request without PKCE. Nor
 * where there is no redirect URI to answer at, or one that was pushed already.
 */
export function webFallback(rooms: {
  readonly pushedRequests: Pick<PushedRequests, 'create'>;
  readonly keys: Pick<KeyRing, 'secrets'>;
  readonly pushedRequestSeconds: number;
  readonly mostPushedRequests: number;
  readonly enabled: EnabledFeatures;
  readonly clock: Clock;
}): (addressed: AddressedRequest, authorization: Authorization) => Promise<WebFallback> {
  const { pushedRequests, keys, pushedRequestSeconds, mostPushedRequests, enabled, clock } = rooms;

  return async ({ client, parameters, isSigned, pushedId, redirectUri }, { codeChallenge }) => {
    if (
      codeChallenge === undefined ||
      redirectUri === undefined ||
      redirectUri === '' ||
      pushedId !== undefined ||
      !enabled.has('pushed-requests')
    ) {
      return {};
    }
    const id = newIdentifier();
    const now = clock.now();
    const pushed = { id, clientId: client.id, parameters, isSigned, expiresAt: now + pushedRequestSeconds };
    const isKept = await pushedRequests.create(pushed, mostPushedRequests, now);
    return isKept ? { request_uri: pushedRequestUri(keys.secrets, id), expires_in: pushedRequestSeconds } : {};
  };
}
