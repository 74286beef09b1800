import type { Config } from '../config/config.ts';
import type { RegistrationLimits } from './client-metadata-rules.ts';

/** What clients can be registered for. A test holds the first three against the features of the server. */
export function registrationLimits(config: Pick<Config, 'signingAlgorithms' | 'lifetimes'>): RegistrationLimits {
  return {
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
    responseTypes: ['code'],
    authMethods: ['client_secret_basic', 'client_secret_post', 'none'],
    signingAlgorithms: config.signingAlgorithms,
    // Nothing by default: what a client may ask for is the operator's to say.
    defaultScope: '',
    accessTokenMaxSeconds: config.lifetimes.accessTokenMaxSeconds,
  };
}
