import { InvalidRequest } from '../core/errors.ts';
import type { AuthorizationRule } from './authorization.ts';

/** What a request says about the user's login (OpenID Connect Core section 3.1.2.1). */
export const loginParametersRule: AuthorizationRule = {
  name: 'login parameters',
  apply({ parameters }) {
    const prompts = (parameters.get('prompt') ?? '').split(' ').filter((value) => value !== '');
    if (prompts.includes('none') && prompts.length > 1) {
      throw new InvalidRequest('The prompt none cannot stand with another.');
    }
    return {
      prompts,
      maxAgeSeconds: maxAge(parameters.get('max_age')),
      // A hint is shown on the page; nobody's name is longer than this.
      loginHint: parameters.get('login_hint')?.slice(0, 256),
      uiLocales: parameters.get('ui_locales'),
    };
  },
};

function maxAge(text: string | undefined): number | undefined {
  if (text === undefined) {
    return undefined;
  }
  if (!/^\d{1,9}$/.test(text)) {
    throw new InvalidRequest('The max_age must be a whole number of seconds.');
  }
  return Number(text);
}
