import { expect } from 'chai';
import { readClientDocument } from '../../../src/clients/client-document.ts';
import { InvalidClientMetadata } from '../../../src/clients/client-metadata-rules.ts';
import { CIBA_GRANT, DEVICE_CODE_GRANT } from '../../../src/clients/deferred-grants.ts';
import { registrationLimits } from '../../../src/clients/registrable.ts';
import { underPolicy } from '../../../src/clients/self-registered-policy.ts';
import { readConfig } from '../../../src/config/read-config.ts';
import { clientKeyPair } from '../../support/assertions.ts';
import { documentOf } from '../../support/document-client.ts';

const ADDRESS = 'https://app.example/client.json';
const POLICY = { scope: 'openid api:read', resources: ['https://mcp.example/'] };
const reading = readConfig({}, undefined);
if ('problems' in reading) {
  throw new Error(reading.problems.join('\n'));
}
const limits = registrationLimits(reading.config);
const { jwk } = clientKeyPair('ES256');

const read = (document: unknown) => underPolicy(readClientDocument(ADDRESS, document, limits, POLICY), POLICY);

/** Why a document is refused. */
function problem(document: unknown): string {
  try {
    read(document);
    return 'none';
  } catch (error) {
    if (error instanceof InvalidClientMetadata) {
      return error.message;
    }
    throw error;
  }
}

const described = (members: Readonly<Record<string, unknown>>) => documentOf(ADDRESS, members);

/** A document as a server with these switches reads it. */
const readBy = (FEATURES: string, members: Readonly<Record<string, unknown>>) => {
  const other = readConfig({ FEATURES }, undefined);
  if ('problems' in other) {
    throw new Error(other.problems.join('\n'));
  }
  return readClientDocument(ADDRESS, described(members), registrationLimits(other.config), POLICY);
};

describe('a client metadata document (draft-ietf-oauth-client-id-metadata-document-02 section 4)', () => {
  it('is read as metadata that is registered', () => {
    expect(read(described({ client_uri: 'https://app.example/', software_version: '2' }))).to.deep.include({
      client_name: 'Harbor Notes',
      client_uri: 'https://app.example/',
      software_version: '2',
      redirect_uris: ['https://app.example/callback'],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    });
  });

  it('is one of a public client where it names no method: the default of RFC 7591 would need a secret', () => {
    expect(read(described({ token_endpoint_auth_method: undefined }))).to.include({ token_endpoint_auth_method: 'none' });
  });

  it('may have keys, by value or by address', () => {
    const method = { token_endpoint_auth_method: 'private_key_jwt' };
    expect(read(described({ ...method, jwks: { keys: [jwk] } })).jwks?.keys).to.have.length(1);
    expect(read(described({ ...method, jwks_uri: 'https://app.example/jwks' }))).to.include({ jwks_uri: 'https://app.example/jwks' });
  });

  for (const [what, document, message] of [
    ['is a list', [documentOf(ADDRESS)], /must be a JSON object/],
    ['is null', null, /must be a JSON object/],
    ['has no client_id', described({ client_id: undefined }), /client_id/],
    ['has another client_id', described({ client_id: 'https://other.example/client.json' }), /client_id/],
    ['has its client_id with a slash behind it', described({ client_id: `${ADDRESS}/` }), /client_id/],
    ['has its client_id in capitals', described({ client_id: 'https://APP.example/client.json' }), /client_id/],
    ['has its client_id with the default port', described({ client_id: 'https://app.example:443/client.json' }), /client_id/],
    ['has its client_id percent-encoded', described({ client_id: 'https://app.example/client%2Ejson' }), /client_id/],
    ['has its client_id with a query', described({ client_id: `${ADDRESS}?` }), /client_id/],
    ['has a list of client_ids', described({ client_id: [ADDRESS] }), /client_id/],
    ['has no client_name', described({ client_name: undefined }), /client_name/],
    ['has no redirect_uris', described({ redirect_uris: undefined }), /redirect_uris/],
    ['has redirect_uris that are none', described({ redirect_uris: [] }), /redirect_uris/],
    ['has a secret', described({ client_secret: 'x' }), /client_secret: /],
    ['has an empty secret', described({ client_secret: '' }), /client_secret: /],
    ['has a date for a secret', described({ client_secret_expires_at: 0 }), /client_secret_expires_at: /],
    ['has no grant type for the browser', described({ grant_types: ['client_credentials'], response_types: undefined }), /grant_types/],
    ['has a key that is secret', described({ jwks: { keys: [{ kty: 'oct', k: 'AAAA' }] } }), /jwks/],
    ['has a private key', described({ jwks: { keys: [{ ...jwk, d: 'AAAA' }] } }), /jwks/],
    ['has keys at an address without TLS', described({ jwks_uri: 'http://app.example/jwks' }), /jwks_uri/],
    ['has logout tokens sent elsewhere', described({ backchannel_logout_uri: 'https://victim.example/' }), /backchannel_logout_uri/],
  ] as const) {
    it(`is refused when it ${what}`, () => {
      expect(problem(document)).to.match(message);
    });
  }

  for (const method of ['client_secret_basic', 'client_secret_post', 'client_secret_jwt', 'tls_client_auth', ['none'], 'something_else']) {
    it(`is refused with the method ${String(method)}`, () => {
      expect(problem(described({ token_endpoint_auth_method: method, client_name: 'x' }))).to.match(/token_endpoint_auth_method/);
    });
  }

  for (const uri of [
    'http://app.example/callback',
    'javascript:alert(1)',
    'data:text/html,x',
    'myapp:/callback',
    'https://app.example/callback#x',
    'https://ada@app.example/',
    'https://*.app.example/',
    '/callback',
  ]) {
    it(`is refused with the redirect URI ${uri}`, () => {
      expect(problem(described({ redirect_uris: ['https://app.example/callback', uri] }))).to.match(/redirect_uris/);
    });
  }

  it('takes redirect URIs of other hosts, of this machine and of programs: the user is told', () => {
    const redirect_uris = ['https://other.example/cb', 'http://127.0.0.1/cb', 'http://localhost/cb', 'com.example.app:/cb'];
    expect(read(described({ redirect_uris })).redirect_uris).to.deep.equal(redirect_uris);
  });
});

describe('what a document says for servers that can do more (RFC 7591 section 2)', () => {
  for (const [features, members] of [
    ['-back-channel-logout', { backchannel_logout_uri: `${ADDRESS}/logout`, backchannel_logout_session_required: true }],
    ['-jarm', { authorization_signed_response_alg: 'RS256' }],
    ['-userinfo', { userinfo_signed_response_alg: 'RS256' }],
    ['-request-objects', { request_object_signing_alg: 'ES256' }],
    ['-pairwise-subjects', { subject_type: 'pairwise' }],
    ['-device-authorization', { grant_types: ['authorization_code', DEVICE_CODE_GRANT] }],
    ['-ciba', { grant_types: ['authorization_code', CIBA_GRANT], backchannel_token_delivery_mode: 'poll' }],
    ['-encryption', { id_token_encrypted_response_alg: 'ECDH-ES' }],
  ] as const) {
    it(`is passed over where it is of a feature that is off: ${Object.keys(members).join(', ')}`, () => {
      const expected = readBy(features, 'grant_types' in members ? { grant_types: ['authorization_code'] } : {});
      expect(readBy(features, members)).to.deep.equal(expected);
    });
  }

  for (const [features, member, members] of [
    ['-dpop', 'dpop_bound_access_tokens', { dpop_bound_access_tokens: true }],
    ['-pushed-requests', 'require_pushed_authorization_requests', { require_pushed_authorization_requests: true }],
    ['-request-objects', 'require_signed_request_object', { require_signed_request_object: true, jwks: { keys: [jwk] } }],
    ['-private-key-jwt', 'token_endpoint_auth_method', { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } }],
  ] as const) {
    it(`is not passed over where the client would be held to less than it says: ${member}`, () => {
      expect(() => readBy(features, members)).to.throw(InvalidClientMetadata, new RegExp(`^${member}: .*which is off`));
      expect(readBy('', members)).to.have.property(member);
    });
  }
});

it('a document that promises tokens bound to a certificate is held to it, and refused where there are no certificates', () => {
  const document = described({ tls_client_certificate_bound_access_tokens: true });
  const withCertificates = { ...limits, authMethods: [...limits.authMethods, 'self_signed_tls_client_auth' as const] };
  expect(readClientDocument(ADDRESS, document, withCertificates, POLICY)).to.include({ tls_client_certificate_bound_access_tokens: true });
  expect(problem(document)).to.match(/^tls_client_certificate_bound_access_tokens: .*MUTUAL_TLS is off/);
});

describe('what a client that registers itself can have', () => {
  it('is the scope and the resources that the operator says, whatever it asks for', () => {
    const asked = read(described({ scope: 'openid api:read admin ssf.manage', allowed_resources: ['https://api.example/'] }));
    expect(asked).to.deep.include({ scope: 'openid api:read', allowed_resources: POLICY.resources });
    expect(read(described({}))).to.include({ scope: POLICY.scope });
  });

  it('is nothing that only an operator decides', () => {
    const metadata = read(
      described({
        skip_consent: true,
        first_party: true,
        token_exchange: [{ subject_audience: 'https://api.example/' }],
        id_jag: [{ audience: 'https://chat.example', client_id: 'x', scope: 'a' }],
        require_pkce: false,
        refresh_token_rotation: false,
        profile: 'fapi2',
        access_token_ttl: 86_400,
        refresh_token_idle_ttl: 1e8,
        refresh_token_absolute_ttl: 0,
        id_token_ttl: 86_400,
        protected_resources: ['https://api.example/'],
        access_token_claims: { role: 'admin' },
        client_assertion_legacy_audience: true,
        access_token_signed_response_alg: 'RS256',
        authorization_details_types: ['payment'],
        post_logout_redirect_uris: ['https://evil.example/'],
        sector_identifier_uri: 'https://victim.example/sector.json',
        id_token_encrypted_response_alg: 'ECDH-ES',
        grant_types: ['authorization_code', 'client_credentials', 'urn:ietf:params:oauth:grant-type:token-exchange'],
        ...(JSON.parse('{"__proto__":{"skip_consent":true}}') as object),
      }),
    );
    expect(metadata).to.deep.equal({
      ...read(described({})),
      grant_types: ['authorization_code'],
    });
    expect(metadata).to.include({ skip_consent: false, require_pkce: true, refresh_token_rotation: true });
  });
});
