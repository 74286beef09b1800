import { AccessDenied, InvalidGrant, OAuthError } from '../core/errors.ts';
import type { PollOutcome } from './deferred-request.ts';

/** RFC 8628 section 3.5, CIBA section 11: nobody has decided yet. Ask again after the interval. */
export class AuthorizationPending extends OAuthError {
  readonly code = 'authorization_pending';
}

/** RFC 8628 section 3.5, CIBA section 11: the same, and the client asks too often. Its interval has grown. */
export class SlowDown extends OAuthError {
  readonly code = 'slow_down';
}

/** RFC 8628 section 3.5, CIBA section 11: begin again. */
export class ExpiredToken extends OAuthError {
  readonly code = 'expired_token';
}

/**
 * What a poll is answered.
 * @param credential the name of what the client polls with, such as `device_code`.
 * @returns the grant that the user made of the request.
 * @throws AuthorizationPending, SlowDown, ExpiredToken, AccessDenied; InvalidGrant when the request is another client's.
 */
export function grantOfPoll(outcome: PollOutcome, credential: string): string {
  switch (outcome.kind) {
    case 'allowed':
      return outcome.grantId;
    case 'pending':
      throw outcome.isTooSoon
        ? new SlowDown(`Polled too soon: wait ${outcome.intervalSeconds} seconds from one poll to the next, from now on.`)
        : new AuthorizationPending(`The user has not decided yet: ask again in ${outcome.intervalSeconds} seconds.`);
    case 'denied':
      throw new AccessDenied('The user did not allow it.');
    case 'expired':
      throw new ExpiredToken(`The ${credential} has expired: begin again.`);
    case 'foreign':
      throw refusedCredential(credential, "another client's");
  }
}

/** One answer for what was made up and what is another client's, so that a thief learns nothing from it. */
export function refusedCredential(credential: string, detail: string): InvalidGrant {
  return new InvalidGrant(
    `The ${credential} is not valid: it is unknown, already used, issued to another client, or bound to another key. Begin again.`,
    detail,
  );
}
