import { expect } from 'chai';
import { PRIVATE_KEY_ALGORITHMS } from '../../src/clients/client-algorithms.ts';
import { registrationLimits } from '../../src/clients/registrable.ts';
import { AVAILABLE_ML_DSA } from '../../src/core/ml-dsa.ts';
import { answerOf } from '../support/answers.ts';
import { sqliteDatabases } from '../support/databases.ts';
import type { TestServer } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

const ADDRESSES = ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'];

const METHODS = [
  'client_secret_basic',
  'client_secret_post',
  'none',
  'private_key_jwt',
  'client_secret_jwt',
  'workload_identity_jwt',
  'spiffe_jwt',
];

// biome-ignore format: a list of names reads best filled
const CLAIMS = [
  'sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'acr', 'amr', 'at_hash', 'sid',
  'name', 'family_name', 'given_name', 'middle_name', 'nickname', 'preferred_username', 'profile', 'picture', 'website', 'gender',
  'birthdate', 'zoneinfo', 'locale', 'updated_at', 'email', 'email_verified', 'address', 'phone_number', 'phone_number_verified',
];

const ENCRYPTION = Object.fromEntries(
  ['id_token', 'userinfo', 'authorization', 'introspection', 'request_object'].flatMap((what) => {
    const isOurKey = what === 'request_object';
    const algorithms = isOurKey ? ['ECDH-ES', 'RSA-OAEP-256'] : ['ECDH-ES', 'ECDH-ES+A128KW', 'ECDH-ES+A256KW', 'RSA-OAEP-256', 'RSA-OAEP'];
    return [
      [`${what}_encryption_alg_values_supported`, algorithms],
      [`${what}_encryption_enc_values_supported`, ['A128CBC-HS256', 'A256CBC-HS512', 'A128GCM', 'A256GCM']],
    ];
  }),
) as Readonly<Record<string, readonly string[]>>;

describe('authorization server metadata (RFC 8414)', () => {
  const database = sqliteDatabases();
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create());
  });
  after(async () => {
    await server.close();
    await database.dispose();
  });

  const metadata = async (path = ADDRESSES[0] ?? '') => (await answerOf(server.get(path))).body;

  it('says what this server can do, and nothing else', async () => {
    const { issuer } = server;
    expect(await metadata()).to.deep.equal({
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      revocation_endpoint: `${issuer}/revoke`,
      introspection_endpoint: `${issuer}/introspect`,
      response_types_supported: ['code'],
      response_modes_supported: ['query', 'fragment', 'form_post', 'jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'],
      pushed_authorization_request_endpoint: `${issuer}/par`,
      authorization_challenge_endpoint: `${issuer}/authorize-challenge`,
      request_parameter_supported: true,
      request_uri_parameter_supported: false,
      request_object_signing_alg_values_supported: PRIVATE_KEY_ALGORITHMS,
      ...ENCRYPTION,
      authorization_signing_alg_values_supported: ['ES256', 'RS256'],
      introspection_signing_alg_values_supported: ['ES256', 'RS256'],
      device_authorization_endpoint: `${issuer}/device_authorization`,
      grant_types_supported: [
        'authorization_code',
        'client_credentials',
        'urn:ietf:params:oauth:grant-type:device_code',
        'refresh_token',
        'urn:ietf:params:oauth:grant-type:token-exchange',
        'urn:ietf:params:oauth:grant-type:jwt-bearer',
      ],
      token_endpoint_auth_methods_supported: METHODS,
      revocation_endpoint_auth_methods_supported: METHODS,
      introspection_endpoint_auth_methods_supported: METHODS.filter((method) => method !== 'none'),
      token_endpoint_auth_signing_alg_values_supported: [...PRIVATE_KEY_ALGORITHMS, 'HS256'],
      revocation_endpoint_auth_signing_alg_values_supported: [...PRIVATE_KEY_ALGORITHMS, 'HS256'],
      introspection_endpoint_auth_signing_alg_values_supported: [...PRIVATE_KEY_ALGORITHMS, 'HS256'],
      code_challenge_methods_supported: ['S256'],
      dpop_signing_alg_values_supported: ['ES256', 'ES384', 'ES512', 'Ed25519', 'EdDSA', 'PS256', 'RS256', ...AVAILABLE_ML_DSA],
      authorization_response_iss_parameter_supported: true,
      refresh_token_expiration_types_supported: ['token_timeout', 'authorization'],
      ui_locales_supported: ['en', 'ko'],
      userinfo_endpoint: `${issuer}/userinfo`,
      end_session_endpoint: `${issuer}/logout`,
      backchannel_logout_supported: true,
      backchannel_logout_session_supported: true,
      scopes_supported: ['openid', 'profile', 'email', 'address', 'phone', 'offline_access'],
      status_list_aggregation_endpoint: `${issuer}/status-lists`,
      status_list_events_endpoint: `${issuer}/status-lists/events`,
      subject_types_supported: ['public', 'pairwise'],
      id_token_signing_alg_values_supported: ['ES256', 'RS256'],
      userinfo_signing_alg_values_supported: ['ES256', 'RS256'],
      acr_values_supported: ['urn:keyturn:acr:1fa', 'urn:keyturn:acr:2fa'],
      claim_types_supported: ['normal'],
      claims_supported: CLAIMS,
      claims_parameter_supported: true,
      display_values_supported: ['page', 'popup', 'touch'],
      prompt_values_supported: ['none', 'login', 'consent', 'select_account'],
    });
  });

  it('is the same at both well-known addresses', async () => {
    const [first, ...others] = await Promise.all(ADDRESSES.map((path) => metadata(path)));
    for (const other of others) {
      expect(other).to.deep.equal(first);
    }
  });

  it('may be cached, and is not sent again while it is the same', async () => {
    for (const path of ADDRESSES) {
      const first = await server.get(path);
      await first.text();
      expect(first.headers.get('content-type')).to.equal('application/json');
      expect(first.headers.get('cache-control')).to.match(/^public, max-age=\d+$/);
      const again = await server.get(path, { 'if-none-match': first.headers.get('etag') ?? '' });
      expect({ status: again.status, body: await again.text() }).to.deep.equal({ status: 304, body: '' });
    }
  });

  it('announces addresses that answer', async () => {
    for (const [name, address] of Object.entries(await metadata())) {
      if (name.endsWith('_endpoint') || name === 'jwks_uri') {
        const response = await fetch(String(address));
        // Not read to its end: one of them is a stream of events.
        await response.body?.cancel();
        expect(response.status, name).not.to.equal(404);
      }
    }
  });

  it('offers what clients can be registered for, neither more nor less', async () => {
    const offered = await metadata();
    const limits = registrationLimits(server.config);
    expect(limits.grantTypes.toSorted()).to.deep.equal((offered['grant_types_supported'] as string[]).toSorted());
    expect(limits.authMethods.toSorted()).to.deep.equal((offered['token_endpoint_auth_methods_supported'] as string[]).toSorted());
    expect(limits.responseTypes.toSorted()).to.deep.equal((offered['response_types_supported'] as string[]).toSorted());
    expect(limits.responseModes.toSorted()).to.deep.equal((offered['response_modes_supported'] as string[]).toSorted());
    expect(limits.signingAlgorithms).to.deep.equal(server.config.signingAlgorithms);
  });

  it('comes from the configuration alone: no header of a request moves an address', async () => {
    const headers = {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'https',
      forwarded: 'host=evil.example',
      'x-original-url': '/x',
    };
    expect((await answerOf(server.get(ADDRESSES[0] ?? '', headers))).body).to.deep.equal(await metadata());
  });
});
