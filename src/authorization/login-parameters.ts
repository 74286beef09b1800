import { InvalidRequest } from '../core/errors.ts';
import type { AuthorizationRule } from './authorization.ts';

/** The values of `prompt` that mean something here. */
export const supportedPrompts: readonly string[] = ['none', 'login', 'consent', 'select_account'];

/** What a request says about the user's login (OpenID Connect Core section 3.1.2.1). */
export const loginParametersRule: AuthorizationRule = {
  name: 'login parameters',
  apply({ client, parameters }) {
    const prompts = (parameters.get('prompt') ?? '').split(' ').filter((value) => value !== '');
    if (prompts.includes('none') && prompts.length > 1) {
      throw new InvalidRequest('The prompt none cannot stand with another.');
    }
    // Initiating User Registration via OpenID Connect section 4.1: `create` among others, where it cannot be done.
    if (!prompts.every((prompt) => supportedPrompts.includes(prompt))) {
      throw new InvalidRequest(`The prompt must be made of ${supportedPrompts.join(', ')}.`);
    }
    return {
      prompts,
      maxAgeSeconds: maxAge(parameters.get('max_age')) ?? client.metadata.default_max_age,
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
