import { LoginRequired } from '../core/errors.ts';
import type { Subjects } from '../tokens/subjects.ts';
import { isExpectedUser } from './expected-user.ts';
import type { Prompt } from './prompt.ts';

/** The user must log in: never did, must again (`prompt=login`, `select_account`), did too long ago (`max_age`), or is not who is asked about. */
export function loginPrompt(subjects: Subjects): Prompt {
  return {
    name: 'login',
    async isDue(situation) {
      const { authorization, pending, session, now } = situation;
      if (session === undefined) {
        return true;
      }
      // A login since the request began answers whatever it asks for. By the session, not by the clock: two logins fit into one second. A
      // factor added to an earlier login is none: whoever is at the browser has not shown the password again.
      if (session.id !== pending.sessionAtStart && session.loginTime >= pending.startedAt) {
        return false;
      }
      const { prompts, maxAgeSeconds } = authorization;
      // max_age=0 is prompt=login in other words: a login in this very second is no answer to it either.
      const isAsked = prompts.includes('login') || prompts.includes('select_account') || maxAgeSeconds === 0;
      const isTooOld = maxAgeSeconds !== undefined && now - session.authTime > maxAgeSeconds;
      return isAsked || isTooOld || !isExpectedUser(subjects, situation, session);
    },
    errorWhenSilent: () => new LoginRequired('The user is not logged in, must log in again, or is not the one that was asked about.'),
  };
}
