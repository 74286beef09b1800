import type { Lifetimes } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { GrantCredentials } from '../tokens/grant-credentials.ts';
import { authorizationCodeSeconds } from '../tokens/lifetimes.ts';
import type { AllowedAuthorization, GrantRecorder } from './grant-recorder.ts';

/**
 * Records the grant, if the session it rests on still lives at that moment.
 * @returns its code, for the client (RFC 6749 section 4.1.2); undefined: the session is over, and nothing was recorded.
 */
export type CodeIssuer = (allowed: AllowedAuthorization, now: EpochSeconds) => Promise<string | undefined>;

export function codeIssuer(rooms: {
  readonly recordGrant: GrantRecorder;
  readonly credentials: GrantCredentials;
  readonly lifetimes: Lifetimes;
}): CodeIssuer {
  const { recordGrant, credentials, lifetimes } = rooms;

  return async (allowed, now) => {
    const { client, redirectUri, redirectUriGiven } = allowed.addressed;
    if (redirectUri === undefined) {
      throw new Error('a deferred request is answered with no code');
    }
    const code = { redirectUri, redirectUriGiven, codeChallenge: allowed.authorization.codeChallenge };
    const grantId = await recordGrant(allowed, { code, expiresAt: now + authorizationCodeSeconds(client, lifetimes) }, now);
    return grantId === undefined ? undefined : credentials.authorizationCode(grantId);
  };
}
