import { reaches } from '../accounts/authentication-context.ts';
import type { SecondFactors } from '../accounts/second-factor.ts';
import { LoginRequired } from '../core/errors.ts';
import type { Prompt } from './prompt.ts';

/**
 * The user must show a second factor: the request asks for a class that the login did not reach. (A user who has a factor shows it at each
 * login; this is for sessions from before the factor, and for users who have none yet.)
 */
export function secondFactorPrompt(secondFactors: Pick<SecondFactors, 'find'>): Prompt {
  return {
    name: 'second-factor',
    async isDue({ authorization: { contextClasses: wanted, prompts }, session }) {
      if (session === undefined || wanted === undefined || reaches(session.methods, wanted.values[0])) {
        return false;
      }
      const isMissing = wanted.isRequired && !wanted.values.some((value) => reaches(session.methods, value));
      // A class that is only preferred is worth a code to whoever has a factor: neither an enrolment, nor an error where nobody may be asked.
      return isMissing || (!prompts.includes('none') && (await secondFactors.find(session.userId)) !== undefined);
    },
    // OpenID Connect Core section 3.1.2.6: it can be met, and not without the user.
    errorWhenSilent: () =>
      new LoginRequired('The user must show a second factor to reach the authentication context class that was asked for.'),
  };
}
