import { expect } from 'chai';
import type { Client } from '../../../src/clients/client.ts';
import type { RegistrationLimits } from '../../../src/clients/client-metadata-rules.ts';
import { InvalidClientMetadata, readClientMetadata } from '../../../src/clients/client-metadata-rules.ts';
import { permittedAlgorithms } from '../../../src/clients/fapi2-profile.ts';
import { type FeatureName, featureSwitches } from '../../../src/config/feature-switches.ts';
import { clientKeyPair } from '../../support/assertions.ts';

const LIMITS: RegistrationLimits = {
  features: new Set(Object.keys(featureSwitches) as FeatureName[]),
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
  responseTypes: ['code'],
  responseModes: ['query', 'fragment', 'jwt', 'query.jwt'],
  authMethods: ['client_secret_basic', 'client_secret_jwt', 'private_key_jwt', 'tls_client_auth', 'self_signed_tls_client_auth', 'none'],
  signingAlgorithms: ['ES256', 'RS256'],
  encryption: true,
  privateAddresses: false,
  defaultScope: 'openid',
  accessTokenMaxSeconds: 86_400,
};
const FAPI2 = {
  profile: 'fapi2',
  redirect_uris: ['https://app.example/cb'],
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [clientKeyPair('ES256').jwk] },
};

function read(changes: Readonly<Record<string, unknown>>, limits: RegistrationLimits = LIMITS) {
  return readClientMetadata({ ...FAPI2, ...changes }, limits).metadata;
}

/** A client that is registered so. */
function client(changes: Readonly<Record<string, unknown>>): Pick<Client, 'id' | 'metadata'> {
  return { id: 'app', metadata: read(changes) };
}

function refusal(changes: Readonly<Record<string, unknown>>, limits: RegistrationLimits = LIMITS): string {
  try {
    read(changes, limits);
  } catch (error) {
    if (error instanceof InvalidClientMetadata) {
      return error.message;
    }
    throw error;
  }
  return 'taken';
}

describe('clients: profile fapi2 (FAPI 2.0 Security Profile section 5.3.2)', () => {
  it('switches on what the profile demands, whether or not the metadata says so', () => {
    const demanded = {
      profile: 'fapi2',
      require_pkce: true,
      require_pushed_authorization_requests: true,
      refresh_token_rotation: false,
      dpop_bound_access_tokens: true,
    };
    expect(read({})).to.include(demanded);
    expect(read(demanded)).to.deep.equal(read({}));
  });

  it('can be read again as it was stored', () => {
    expect(readClientMetadata({ ...read({}) }, LIMITS).metadata).to.deep.equal(read({}));
  });

  it('is content with tokens that are bound to a certificate', () => {
    const bound = read({ tls_client_certificate_bound_access_tokens: true });
    expect(bound).to.include({ tls_client_certificate_bound_access_tokens: true, dpop_bound_access_tokens: false });
  });

  it('is none where the metadata says default', () => {
    expect(read({ profile: 'default' })).not.to.have.property('profile');
    expect(read({ profile: 'default' })).to.include({ refresh_token_rotation: true, dpop_bound_access_tokens: false });
  });

  for (const [name, value] of [
    ['require_pkce', false],
    ['require_pushed_authorization_requests', false],
    ['refresh_token_rotation', true],
    ['dpop_bound_access_tokens', false],
    ['client_assertion_legacy_audience', true],
  ] as const) {
    it(`refuses ${name}: ${value}, and changes it behind nobody's back`, () => {
      expect(refusal({ [name]: value })).to.match(new RegExp(`^${name}: .* profile fapi2`));
    });
  }

  for (const method of ['client_secret_basic', 'client_secret_jwt', 'none', undefined]) {
    it(`refuses the authentication method ${method}: confidential clients with a key or a certificate`, () => {
      expect(refusal({ token_endpoint_auth_method: method, jwks: undefined })).to.match(/^token_endpoint_auth_method: /);
    });
  }

  it('takes mutual TLS for an authentication method', () => {
    const { token_endpoint_auth_method: method } = read({
      token_endpoint_auth_method: 'tls_client_auth',
      tls_client_auth_san_dns: 'app.example',
      jwks: undefined,
    });
    expect(method).to.equal('tls_client_auth');
  });

  for (const member of [
    'token_endpoint_auth_signing_alg',
    'request_object_signing_alg',
    'id_token_signed_response_alg',
    'access_token_signed_response_alg',
    'userinfo_signed_response_alg',
    'authorization_signed_response_alg',
    'introspection_signed_response_alg',
  ]) {
    it(`refuses RS256 as ${member} (section 5.4.1)`, () => {
      expect(refusal({ [member]: 'RS256' })).to.match(new RegExp(`^${member}: must be one of PS256, ES256`));
      expect(read({ [member]: 'ES256' })).to.have.property(member, 'ES256');
    });
  }

  it('refuses redirect URIs without TLS, but of native applications on this machine (RFC 8252 section 7.3)', () => {
    const uris = { redirect_uris: ['http://127.0.0.1/cb'] };
    expect(refusal(uris)).to.match(/^redirect_uris: /);
    expect(refusal({ ...uris, application_type: 'web' })).to.match(/^redirect_uris: /);
    expect(read({ ...uris, application_type: 'native' }).redirect_uris).to.deep.equal(uris.redirect_uris);
    expect(refusal({ redirect_uris: ['http://localhost/cb'], application_type: 'native' })).to.match(/^redirect_uris: /);
    // A scheme is written in any case.
    expect(refusal({ redirect_uris: ['HTTP://127.0.0.1/cb'] })).to.match(/^redirect_uris: /);
  });

  it('is not for a server that signs by RS256 alone', () => {
    expect(refusal({}, { ...LIMITS, signingAlgorithms: ['RS256'] })).to.match(/^profile: /);
  });
});

describe('clients: permittedAlgorithms (FAPI 2.0 Security Profile section 5.4.1)', () => {
  it('leaves those of the profile, in their order, and everything to others', () => {
    expect(permittedAlgorithms(client({}), ['RS256', 'ES384', 'PS256', 'ES256'])).to.deep.equal(['PS256', 'ES256']);
    expect(permittedAlgorithms(client({ profile: 'default' }), ['RS256', 'ES256'])).to.deep.equal(['RS256', 'ES256']);
  });

  it('signs nothing rather than by what is forbidden', () => {
    expect(() => permittedAlgorithms(client({}), ['RS256'])).to.throw(/profile fapi2/);
  });
});
