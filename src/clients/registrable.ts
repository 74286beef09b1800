import type { Config } from '../config/config.ts';
import type { RegistrationLimits } from './client-metadata-rules.ts';

/** What clients can be registered for. A test holds the first three against the features of the server. */
export function registrationLimits(
  config: Pick<Config, 'signingAlgorithms' | 'lifetimes' | 'outboundPrivateAddresses' | 'mutualTls' | 'features'>,
): RegistrationLimits {
  return {
    grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
    responseTypes: ['code'],
    authMethods: [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      ...(config.mutualTls?.clientCaFile === undefined ? [] : (['tls_client_auth'] as const)),
      ...(config.mutualTls === undefined ? [] : (['self_signed_tls_client_auth'] as const)),
      'none',
    ],
    signingAlgorithms: config.signingAlgorithms,
    encryption: config.features.has('encryption'),
    privateAddresses: config.outboundPrivateAddresses,
    // What a login is for. Anything beyond is the operator's to say.
    defaultScope: 'openid profile email phone address offline_access',
    accessTokenMaxSeconds: config.lifetimes.accessTokenMaxSeconds,
  };
}
