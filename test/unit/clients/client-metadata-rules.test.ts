import { expect } from 'chai';
import type { RegistrationLimits } from '../../../src/clients/client-metadata-rules.ts';
import { InvalidClientMetadata, RESERVED_CLAIMS, readClientMetadata } from '../../../src/clients/client-metadata-rules.ts';
import { type FeatureName, featureSwitches } from '../../../src/config/feature-switches.ts';

const LIMITS: RegistrationLimits = {
  features: new Set(Object.keys(featureSwitches) as FeatureName[]),
  grantTypes: ['authorization_code', 'refresh_token', 'client_credentials'],
  responseTypes: ['code'],
  responseModes: ['query', 'fragment', 'jwt', 'query.jwt'],
  authMethods: ['client_secret_basic', 'client_secret_post', 'none'],
  signingAlgorithms: ['ES256', 'RS256'],
  encryption: true,
  privateAddresses: false,
  defaultScope: 'openid',
  accessTokenMaxSeconds: 86_400,
};
const WEB = { redirect_uris: ['https://app.example/cb'] };
const SERVICE = { grant_types: ['client_credentials'] };

/** How the metadata is refused. */
function refusal(input: Readonly<Record<string, unknown>>): { readonly code: string; readonly message: string } {
  try {
    readClientMetadata(input, LIMITS);
  } catch (error) {
    if (error instanceof InvalidClientMetadata) {
      return error;
    }
    throw error;
  }
  throw new Error('The metadata was taken.');
}

describe('clients: registration metadata (RFC 7591 section 2)', () => {
  it('has these defaults', () => {
    expect(readClientMetadata(WEB, LIMITS)).to.deep.equal({
      metadata: {
        redirect_uris: ['https://app.example/cb'],
        grant_types: ['authorization_code'],
        response_types: ['code'],
        token_endpoint_auth_method: 'client_secret_basic',
        scope: 'openid',
        refresh_token_rotation: true,
        allowed_resources: [],
        protected_resources: [],
        skip_consent: false,
        require_pkce: true,
        dpop_bound_access_tokens: false,
        access_token_claims: {},
      },
      ignored: [],
    });
  });

  it('keeps every member that it knows', () => {
    const input = {
      ...WEB,
      client_name: '결제 "서비스"',
      client_uri: 'https://app.example/',
      logo_uri: 'https://app.example/logo.png',
      policy_uri: 'https://app.example/policy',
      tos_uri: 'http://app.example/terms',
      software_id: 'x',
      software_version: '1',
      contacts: ['ops@app.example'],
      grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
      response_types: ['code'],
      token_endpoint_auth_method: 'client_secret_post',
      scope: 'api:read api:write',
      access_token_ttl: 60,
      refresh_token_idle_ttl: 3600,
      refresh_token_absolute_ttl: 0,
      refresh_token_rotation: false,
      access_token_signed_response_alg: 'RS256',
      allowed_resources: ['https://api.example/'],
      protected_resources: ['urn:example:api'],
      authorization_details_types: ['payment_initiation'],
      skip_consent: true,
      require_pkce: false,
      dpop_bound_access_tokens: true,
      access_token_claims: { tenant: { id: 7 } },
    };
    expect(readClientMetadata(input, LIMITS)).to.deep.equal({ metadata: input, ignored: [] });
  });

  it('names the members that it does not know, and leaves them out (section 2)', () => {
    const { metadata, ignored } = readClientMetadata({ ...WEB, 'client_name#ko': '앱', sector: 'https://app.example/jwks' }, LIMITS);
    expect(ignored).to.deep.equal(['client_name#ko', 'sector']);
    expect(metadata).not.to.have.any.keys('client_name#ko', 'sector');
  });

  it('takes null for absent, and no member from the prototype', () => {
    const inherited = Object.create({ skip_consent: true }) as Record<string, unknown>;
    const { metadata } = readClientMetadata(Object.assign(inherited, WEB, { scope: null, client_name: null }), LIMITS);
    expect(metadata).to.include({ scope: 'openid', skip_consent: false }).and.not.to.have.property('client_name');
  });

  it('of a client without the authorization code needs no redirect URI and no response type', () => {
    const { metadata } = readClientMetadata(SERVICE, LIMITS);
    expect(metadata).to.deep.include({ redirect_uris: [], response_types: [], grant_types: ['client_credentials'] });
  });

  it('of a first-party client needs no redirect URI, for it is answered by itself', () => {
    const { metadata } = readClientMetadata({ first_party: true }, LIMITS);
    expect(metadata).to.deep.include({ redirect_uris: [], response_types: ['code'], first_party: true });
  });

  const wrong: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    redirect_uris: { redirect_uris: 'https://app.example/cb' },
    client_name: { ...WEB, client_name: 7 },
    client_uri: { ...WEB, client_uri: 'javascript:alert(1)' },
    logo_uri: { ...WEB, logo_uri: 'data:image/png;base64,' },
    policy_uri: { ...WEB, policy_uri: 'app.example' },
    contacts: { ...WEB, contacts: 'ops@app.example' },
    token_endpoint_auth_method: { ...WEB, token_endpoint_auth_method: 'private_key_jwt' },
    grant_types: { ...WEB, grant_types: ['authorization_code', 'password'] },
    response_types: { ...WEB, response_types: ['token'] },
    scope: { ...WEB, scope: 'a"b' },
    access_token_ttl: { ...WEB, access_token_ttl: 86_401 },
    refresh_token_idle_ttl: { ...WEB, refresh_token_idle_ttl: 0 },
    refresh_token_absolute_ttl: { ...WEB, refresh_token_absolute_ttl: -1 },
    refresh_token_rotation: { ...WEB, refresh_token_rotation: 'false' },
    access_token_signed_response_alg: { ...WEB, access_token_signed_response_alg: 'none' },
    allowed_resources: { ...WEB, allowed_resources: ['api'] },
    protected_resources: { ...WEB, protected_resources: ['https://api.example/#x'] },
    authorization_details_types: { ...WEB, authorization_details_types: 'payment_initiation' },
    skip_consent: { ...WEB, skip_consent: 1 },
    first_party: { ...WEB, first_party: 'yes' },
    require_pkce: { ...WEB, require_pkce: 'no' },
    access_token_claims: { ...WEB, access_token_claims: ['x'] },
    profile: { ...WEB, profile: 'fapi1' },
  };
  for (const [name, input] of Object.entries(wrong)) {
    it(`refuses a wrong ${name}, by name`, () => {
      expect(refusal(input).message).to.match(new RegExp(`^${name}: `));
    });
  }

  for (const value of [0, -1, 1.5, '60', Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, true]) {
    it(`refuses ${String(value)} for a lifetime in seconds`, () => {
      expect(refusal({ ...WEB, access_token_ttl: value }).message).to.match(/^access_token_ttl: /);
    });
  }

  for (const name of ['a\u0000b', 'a\nb', '\u007f', 'x'.repeat(2049)]) {
    it(`refuses a name like ${JSON.stringify(name.slice(0, 8))} (${name.length} characters)`, () => {
      expect(refusal({ ...WEB, client_name: name }).message).to.match(/^client_name: /);
    });
  }

  it('refuses more than a hundred values', () => {
    const many = Array.from({ length: 101 }, (_, at) => `https://app.example/${at}`);
    expect(refusal({ redirect_uris: many }).message).to.match(/^redirect_uris: /);
  });

  it('says invalid_redirect_uri where that is what is wrong (section 3.2.2)', () => {
    expect(refusal({ redirect_uris: ['http://app.example/cb'] }).code).to.equal('invalid_redirect_uri');
    expect(refusal({}).code).to.equal('invalid_redirect_uri');
    expect(refusal({ ...WEB, scope: '"' }).code).to.equal('invalid_client_metadata');
  });

  describe('what does not go together', () => {
    const NONE = { ...WEB, token_endpoint_auth_method: 'none' };
    const cases: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
      'first_party without the authorization code, which its login ends with': { ...SERVICE, first_party: true },
      'the authorization code without a redirect URI': { redirect_uris: [] },
      'the authorization code without the response type code (section 2.1)': { ...WEB, response_types: [] },
      'the response type code without the authorization code (section 2.1)': { ...SERVICE, response_types: ['code'] },
      'client_credentials for a public client (RFC 6749 section 4.4)': { ...NONE, grant_types: ['client_credentials'] },
      'no rotation for a public client (RFC 9700 section 4.14.2)': { ...NONE, refresh_token_rotation: false },
      'no PKCE for a public client (RFC 9700 section 2.1.1)': { ...NONE, require_pkce: false },
    };
    for (const [what, input] of Object.entries(cases)) {
      it(`refuses ${what}`, () => {
        expect(refusal(input).message).to.match(/^\w+: /);
      });
    }
  });

  for (const claim of RESERVED_CLAIMS) {
    it(`refuses the claim ${claim} as a deployment's own`, () => {
      expect(refusal({ ...WEB, access_token_claims: { [claim]: 'x' } }).message).to.match(/^access_token_claims: /);
    });
  }
});
