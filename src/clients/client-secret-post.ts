import { InvalidRequest } from '../core/errors.ts';
import type { ClientAuthenticationMethod } from './authentication.ts';
import { hasSecret } from './client-secret.ts';

/** RFC 6749 section 2.3.1: the secret as a parameter of the body. */
export const clientSecretPost: ClientAuthenticationMethod = {
  name: 'client_secret_post',
  claim({ form }) {
    const secret = form.get('client_secret');
    if (secret === undefined) {
      return undefined;
    }
    const clientId = form.get('client_id');
    if (clientId === undefined) {
      throw new InvalidRequest('The parameter client_id is missing beside client_secret.');
    }
    return { clientId, verify: (client, now) => hasSecret(client, secret, now) };
  },
};
