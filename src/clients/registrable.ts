import type { Config } from '../config/config.ts';
import type { EnabledFeatures } from '../config/feature-switches.ts';
import type { RegistrationLimits } from './client-metadata-rules.ts';
import { CIBA_GRANT, DEVICE_CODE_GRANT } from './deferred-grants.ts';
import { TOKEN_EXCHANGE } from './token-exchange-metadata.ts';

/** What clients can be registered for. A test holds grant types, response types, response modes and methods against the features of the server. */
export function registrationLimits(
  config: Pick<Config, 'features' | 'signingAlgorithms' | 'lifetimes' | 'outboundPrivateAddresses' | 'mutualTls'>,
): RegistrationLimits {
  const { features } = config;
  return {
    features,
    grantTypes: [
      'authorization_code',
      'refresh_token',
      ...(features.has('client-credentials') ? ['client_credentials'] : []),
      ...(features.has('token-exchange') ? [TOKEN_EXCHANGE] : []),
      ...(features.has('jwt-bearer') ? ['urn:ietf:params:oauth:grant-type:jwt-bearer'] : []),
      ...(features.has('device-authorization') ? [DEVICE_CODE_GRANT] : []),
      ...(features.has('ciba') ? [CIBA_GRANT] : []),
    ],
    responseTypes: ['code'],
    responseModes: responseModes(features),
    authMethods: [
      'client_secret_basic',
      'client_secret_post',
      ...(features.has('client-secret-jwt') ? (['client_secret_jwt'] as const) : []),
      ...(features.has('private-key-jwt') ? (['private_key_jwt'] as const) : []),
      ...(features.has('workload-identity') ? (['workload_identity_jwt', 'spiffe_jwt'] as const) : []),
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

function responseModes(features: EnabledFeatures): readonly string[] {
  const plain = ['query', ...(features.has('fragment') ? ['fragment'] : []), ...(features.has('form-post') ? ['form_post'] : [])];
  return features.has('jarm') ? [...plain, 'jwt', ...plain.map((name) => `${name}.jwt`)] : plain;
}
