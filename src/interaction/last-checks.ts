import { reaches } from '../accounts/authentication-context.ts';
import { LoginRequired, OAuthError, UnmetAuthenticationRequirements } from '../core/errors.ts';
import type { CountedRequest, RequestLimits } from '../limits/request-limits.ts';
import type { Subjects } from '../tokens/subjects.ts';
import { isExpectedUser } from './expected-user.ts';
import type { Situation } from './prompt.ts';
import type { Session } from './session.ts';

/** @returns the refusal, where another user is logged in than the request is about. */
export function anotherUser(subjects: Subjects, { addressed, authorization, session }: Situation): LoginRequired | undefined {
  return session === undefined || isExpectedUser(subjects, { addressed, authorization }, session)
    ? undefined
    : new LoginRequired('Another user is logged in than the one that was asked about.');
}

/**
 * What is looked at once more before a client gets a code, whatever the prompts said and by whatever way the user logged in: this must never
 * be lost with a feature that somebody forgot to list.
 * @returns the refusal, an error for the client.
 */
export function lastChecks(rooms: {
  readonly subjects: Subjects;
  readonly limits: Pick<RequestLimits, 'user'>;
}): (situation: Situation & { readonly session: Session }, request: CountedRequest) => OAuthError | undefined {
  const { subjects, limits } = rooms;

  return (situation, request) => {
    const { authorization, session } = situation;
    const { contextClasses } = authorization;
    // A class that is required is never missing from what a client gets a code for.
    const isMissing = contextClasses?.isRequired === true && !contextClasses.values.some((value) => reaches(session.methods, value));
    return (
      anotherUser(subjects, situation) ??
      (isMissing ? new UnmetAuthenticationRequirements(NOT_REACHED) : undefined) ??
      tooMany(session.userId, request)
    );
  };

  /** Counts an answer about a user. @returns the refusal, where there were too many: an error for the client, like any other. */
  function tooMany(userId: string, request: CountedRequest): OAuthError | undefined {
    try {
      limits.user(userId, request);
      return undefined;
    } catch (error) {
      if (error instanceof OAuthError) {
        return error;
      }
      throw error;
    }
  }
}

const NOT_REACHED = 'The login did not reach an authentication context class that was asked for.';
