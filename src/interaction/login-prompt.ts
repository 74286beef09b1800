import { LoginRequired } from '../core/errors.ts';
import type { Prompt } from './prompt.ts';

/** The user must log in: never did, must again (`prompt=login`, `select_account`), or did too long ago (`max_age`). */
export const loginPrompt: Prompt = {
  name: 'login',
  async isDue({ authorization: { prompts, maxAgeSeconds }, pending, session, now }) {
    if (session === undefined) {
      return true;
    }
    // A login since the request began answers whatever it asks for. By the session, not by the clock: two logins fit into one second.
    if (session.id !== pending.sessionAtStart && session.authTime >= pending.startedAt) {
      return false;
    }
    // max_age=0 is prompt=login in other words: a login in this very second is no answer to it either.
    const isAsked = prompts.includes('login') || prompts.includes('select_account') || maxAgeSeconds === 0;
    return isAsked || (maxAgeSeconds !== undefined && now - session.authTime > maxAgeSeconds);
  },
  errorWhenSilent: () => new LoginRequired('The user is not logged in, or must log in again.'),
};
