import type { AddressedRequest, Authorization } from '../authorization/authorization.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { OAuthError } from '../core/errors.ts';
import type { PendingRequest } from './pending-request.ts';
import type { Session } from './session.ts';

/** Where an authorization stands when it is asked what the user still has to do. */
export interface Situation {
  readonly addressed: AddressedRequest;
  readonly authorization: Authorization;
  readonly pending: PendingRequest;
  readonly session: Session | undefined;
  readonly now: EpochSeconds;
}

/** One thing a user may have to do before a client gets a code: one file each. They are asked in order. */
export interface Prompt {
  readonly name: 'login' | 'second-factor' | 'consent';
  isDue(situation: Situation): Promise<boolean>;
  /** What the client is told when the user must not be bothered (`prompt=none`, OpenID Connect Core section 3.1.2.6). */
  errorWhenSilent(): OAuthError;
}
