import { expect } from 'chai';
import { InvalidClientMetadata } from '../../src/clients/client-metadata-rules.ts';
import { CIBA_GRANT, DEVICE_CODE_GRANT } from '../../src/clients/deferred-grants.ts';
import { registrationLimits } from '../../src/clients/registrable.ts';
import { type FeatureName, featureSwitches } from '../../src/config/feature-switches.ts';
import { answerOf, expectError } from '../support/answers.ts';
import { clientKeyPair, keyClient } from '../support/assertions.ts';
import { requestObject, requestParameters } from '../support/authorization-requests.ts';
import { browser, codeRequest, logIn, passPages } from '../support/browser.ts';
import { postWithProof, proofFor, proofKey } from '../support/dpop.ts';
import { startLogoutReceiver } from '../support/logout-receiver.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI, type TestServer } from '../support/test-server.ts';

/** What a feature that has a switch is seen by. */
interface Traces {
  /** Members of the metadata that are there with it alone. */
  readonly members?: readonly string[];
  /** Values that a member has with it alone. */
  readonly values?: Readonly<Record<string, readonly string[]>>;
  readonly endpoint?: string;
  /** What only a server that has it registers a client for: each by itself. */
  readonly registers?: readonly Readonly<Record<string, unknown>>[];
}

const JWKS = { keys: [clientKeyPair('ES256').jwk] };
const METHOD_MEMBERS = ['token', 'revocation', 'introspection'].map((name) => `${name}_endpoint_auth_methods_supported`);
const ALGORITHM_MEMBERS = ['token', 'revocation', 'introspection'].map((name) => `${name}_endpoint_auth_signing_alg_values_supported`);

function forEach(members: readonly string[], values: readonly string[]): Readonly<Record<string, readonly string[]>> {
  return Object.fromEntries(members.map((member) => [member, values]));
}

/** One entry for each switch: a new one does not compile without. */
const TRACES: Readonly<Record<FeatureName, Traces>> = {
  'client-credentials': {
    values: { grant_types_supported: ['client_credentials'] },
    registers: [{ grant_types: ['client_credentials'] }],
  },
  'token-exchange': {
    values: { grant_types_supported: ['urn:ietf:params:oauth:grant-type:token-exchange'] },
    registers: [
      {
        grant_types: ['urn:ietf:params:oauth:grant-type:token-exchange'],
        redirect_uris: [],
        token_exchange: [{ resources: ['https://api.example'], scope: 'a' }],
      },
    ],
  },
  'jwt-bearer': {
    values: { grant_types_supported: ['urn:ietf:params:oauth:grant-type:jwt-bearer'] },
    registers: [
      { grant_types: ['urn:ietf:params:oauth:grant-type:jwt-bearer'] },
      { grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:jwt-bearer'] },
    ],
  },
  'id-jag': {
    members: ['authorization_grant_profiles_supported', 'identity_chaining_requested_token_types_supported'],
    registers: [
      {
        grant_types: ['authorization_code', 'urn:ietf:params:oauth:grant-type:token-exchange'],
        id_jag: [{ audience: 'https://chat.example', client_id: 'x', scope: 'a' }],
      },
    ],
  },
  'workload-identity': {
    values: forEach(METHOD_MEMBERS, ['workload_identity_jwt', 'spiffe_jwt']),
    registers: [
      { token_endpoint_auth_method: 'workload_identity_jwt', workload_identity: { issuer: 'https://k8s.example', subject: 'x' } },
      { token_endpoint_auth_method: 'spiffe_jwt', spiffe_id: 'spiffe://example.org/x' },
    ],
  },
  'device-authorization': {
    members: ['device_authorization_endpoint'],
    values: { grant_types_supported: [DEVICE_CODE_GRANT] },
    endpoint: '/device_authorization',
    registers: [{ grant_types: [DEVICE_CODE_GRANT] }],
  },
  ciba: {
    members: [
      'backchannel_authentication_endpoint',
      'backchannel_token_delivery_modes_supported',
      'backchannel_authentication_request_signing_alg_values_supported',
      'backchannel_user_code_parameter_supported',
    ],
    values: { grant_types_supported: [CIBA_GRANT] },
    endpoint: '/backchannel-authentication',
    registers: [{ grant_types: [CIBA_GRANT], backchannel_token_delivery_mode: 'poll' }],
  },
  'private-key-jwt': {
    values: { ...forEach(METHOD_MEMBERS, ['private_key_jwt']), ...forEach(ALGORITHM_MEMBERS, ['ES256', 'PS256']) },
    registers: [{ token_endpoint_auth_method: 'private_key_jwt', jwks: JWKS }],
  },
  'client-secret-jwt': {
    values: { ...forEach(METHOD_MEMBERS, ['client_secret_jwt']), ...forEach(ALGORITHM_MEMBERS, ['HS256']) },
    registers: [{ token_endpoint_auth_method: 'client_secret_jwt' }],
  },
  'second-factors': {
    values: { acr_values_supported: ['urn:keyturn:acr:2fa'] },
    endpoint: '/login/second-factor',
    registers: [{ default_acr_values: ['urn:keyturn:acr:2fa'] }],
  },
  'first-party-login': {
    members: ['authorization_challenge_endpoint'],
    endpoint: '/authorize-challenge',
    registers: [{ first_party: true }],
  },
  dpop: {
    members: ['dpop_signing_alg_values_supported'],
    registers: [{ dpop_bound_access_tokens: true }, { profile: 'fapi2', token_endpoint_auth_method: 'private_key_jwt', jwks: JWKS }],
  },
  'resource-indicators': { registers: [{ allowed_resources: ['https://api.example'] }] },
  // Its member of the metadata is there once a type is registered.
  'authorization-details': { registers: [{ authorization_details_types: ['payment'] }] },
  'pushed-requests': {
    members: ['pushed_authorization_request_endpoint'],
    endpoint: '/par',
    registers: [
      { require_pushed_authorization_requests: true },
      { profile: 'fapi2', token_endpoint_auth_method: 'private_key_jwt', jwks: JWKS },
    ],
  },
  'request-objects': {
    members: ['request_parameter_supported', 'request_object_signing_alg_values_supported'],
    registers: [{ require_signed_request_object: true, jwks: JWKS }, { request_object_signing_alg: 'ES256' }],
  },
  fragment: {
    values: { response_modes_supported: ['fragment', 'fragment.jwt'] },
    registers: [{ response_modes: ['fragment'] }, { response_modes: ['query', 'fragment.jwt'] }],
  },
  'form-post': {
    values: { response_modes_supported: ['form_post', 'form_post.jwt'] },
    registers: [{ response_modes: ['form_post'] }, { response_modes: ['form_post.jwt'] }],
  },
  jarm: {
    members: ['authorization_signing_alg_values_supported'],
    values: { response_modes_supported: ['jwt', 'query.jwt', 'fragment.jwt', 'form_post.jwt'] },
    registers: [{ authorization_signed_response_alg: 'ES256' }, { response_modes: ['jwt'] }, { response_modes: ['query', 'query.jwt'] }],
  },
  revocation: {
    members: ['revocation_endpoint', 'revocation_endpoint_auth_methods_supported', 'revocation_endpoint_auth_signing_alg_values_supported'],
    endpoint: '/revoke',
  },
  introspection: {
    members: [
      'introspection_endpoint',
      'introspection_endpoint_auth_methods_supported',
      'introspection_endpoint_auth_signing_alg_values_supported',
      'introspection_signing_alg_values_supported',
    ],
    endpoint: '/introspect',
    registers: [{ protected_resources: ['https://api.example'] }, { introspection_signed_response_alg: 'ES256' }],
  },
  'signed-introspection': {
    members: ['introspection_signing_alg_values_supported'],
    registers: [{ introspection_signed_response_alg: 'ES256' }],
  },
  userinfo: {
    members: ['userinfo_endpoint', 'userinfo_signing_alg_values_supported'],
    endpoint: '/userinfo',
    registers: [{ userinfo_signed_response_alg: 'ES256' }],
  },
  'status-list': {
    members: ['status_list_aggregation_endpoint', 'status_list_events_endpoint'],
    endpoint: '/status-lists',
  },
  // Its metadata is a document of its own (shared-signals-switch.test.ts).
  'shared-signals': { endpoint: '/.well-known/ssf-configuration' },
  'client-id-metadata-documents': { members: ['client_id_metadata_document_supported'] },
  'claims-parameter': { members: ['claims_parameter_supported'] },
  'pairwise-subjects': { values: { subject_types_supported: ['pairwise'] }, registers: [{ subject_type: 'pairwise' }] },
  encryption: {
    members: ['id_token', 'userinfo', 'authorization', 'introspection', 'request_object'].flatMap((name) => [
      `${name}_encryption_alg_values_supported`,
      `${name}_encryption_enc_values_supported`,
    ]),
  },
  'rp-initiated-logout': {
    members: ['end_session_endpoint'],
    endpoint: '/logout',
    registers: [{ post_logout_redirect_uris: ['https://app.example/'] }],
  },
  'dynamic-registration': { members: ['registration_endpoint'], endpoint: '/register' },
  'back-channel-logout': {
    members: ['backchannel_logout_supported', 'backchannel_logout_session_supported'],
    registers: [{ backchannel_logout_uri: 'https://app.example/logout' }, { backchannel_logout_session_required: true }],
  },
};

// Keys of one algorithm, and quick to make: a server for each switch is started.
const QUICK = { SIGNING_ALGS: 'ES256' };

async function metadataOf(server: TestServer): Promise<Readonly<Record<string, unknown>>> {
  return (await answerOf(server.get('/.well-known/oauth-authorization-server'))).body;
}

async function statusOf(server: TestServer, path: string): Promise<number> {
  const response = await server.get(path);
  await response.text();
  return response.status;
}

/** Why a client is not registered; undefined: it is. */
async function refusal(server: TestServer, metadata: Readonly<Record<string, unknown>>): Promise<string | undefined> {
  try {
    await server.client({ grant_types: ['authorization_code'], ...metadata });
    return undefined;
  } catch (error) {
    if (error instanceof InvalidClientMetadata) {
      return error.message;
    }
    throw error;
  }
}

describe('features that can be turned on and off (FEATURES)', () => {
  describe('all on', () => {
    const server = suiteServer({ ...QUICK, FEATURES: Object.keys(featureSwitches).join(',') });

    for (const [name, { members = [], values = {}, endpoint, registers = [] }] of Object.entries(TRACES)) {
      it(`${name} is in the metadata, has its endpoint, and clients are registered for it`, async () => {
        const metadata = await metadataOf(server());
        expect(metadata).to.include.all.keys(...members, 'issuer');
        for (const [member, expected] of Object.entries(values)) {
          expect(metadata[member], member).to.include.members([...expected]);
        }
        expect(endpoint === undefined ? 200 : await statusOf(server(), endpoint)).not.to.equal(404);
        for (const each of registers) {
          expect(await refusal(server(), each)).to.equal(undefined);
        }
      });
    }
  });

  for (const [name, { members = [], values = {}, endpoint, registers = [] }] of Object.entries(TRACES)) {
    describe(`-${name}`, () => {
      const server = suiteServer({ ...QUICK, FEATURES: `-${name}` });

      it('leaves nothing of it in either metadata document, and no endpoint', async () => {
        for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
          const { body } = await answerOf(server().get(path));
          expect(Object.keys(body).filter((member) => members.includes(member))).to.deep.equal([]);
          for (const [member, gone] of Object.entries(values)) {
            expect(body[member], member).to.be.an('array').that.is.not.empty;
            expect((body[member] as string[]).filter((value) => gone.includes(value))).to.deep.equal([]);
          }
        }
        expect(endpoint === undefined ? 404 : await statusOf(server(), endpoint)).to.equal(404);
        const metadata = await metadataOf(server());
        const { grantTypes, authMethods, responseModes } = registrationLimits(server().config);
        for (const [offered, registrable] of [
          ['grant_types', grantTypes],
          ['token_endpoint_auth_methods', authMethods],
          ['response_modes', responseModes],
        ] as const) {
          expect(metadata[`${offered}_supported`]).to.have.members([...registrable]);
        }
      });

      it('registers nobody for it, and says which switch that is', async () => {
        const before = (await server().repositories.clientStore.list({ limit: 100 })).length;
        for (const each of registers) {
          expect(await refusal(server(), each)).to.match(/needs the feature [\w-]+, which is off on this server \(FEATURES\)/);
        }
        expect(await server().repositories.clientStore.list({ limit: 100 })).to.have.length(before);
        expect(await refusal(server(), {})).to.equal(undefined);
      });
    });
  }
});

describe('what is asked for of a feature that is off', () => {
  // biome-ignore format: a list of names reads best filled
  const OFF = ['dpop', 'request-objects', 'pushed-requests', 'signed-introspection', 'jarm', 'claims-parameter', 'resource-indicators', 'userinfo'];
  const server = suiteServer({ ...QUICK, FEATURES: OFF.map((name) => `-${name}`).join(',') });

  /** How a plain request with these parameters ends. */
  async function answered(changes: Readonly<Record<string, string>>): Promise<URL> {
    const { url } = codeRequest(server(), await server().client(), changes);
    const tab = browser(server());
    return (await passPages(tab, await tab.visit(url), await server().user())).url;
  }

  it('request: request_not_supported, and request_uri: request_uri_not_supported (OpenID Connect Core section 3.1.2.6)', async () => {
    const { id, pair } = await keyClient(server());
    const { parameters } = requestParameters(server(), { id });
    const beside = { client_id: id, redirect_uri: REDIRECT_URI, state: 'here' };
    for (const [name, value] of [
      ['request', await requestObject(server(), { id }, pair, parameters)],
      ['request_uri', 'urn:ietf:params:oauth:request_uri:x'],
    ] as const) {
      const query = new URLSearchParams({ ...beside, [name]: value }).toString();
      const { url } = await browser(server()).visit(`${server().issuer}/authorize?${query}`);
      expect(Object.fromEntries(url.searchParams)).to.include({ error: `${name}_not_supported`, state: 'here' });
    }
    expect(await metadataOf(server())).to.have.property('request_uri_parameter_supported', false);
  });

  it('a DPoP proof is not looked at: the token says that it is a bearer token (RFC 9449 section 5)', async () => {
    const client = await server().client();
    const proof = await proofFor(server(), await proofKey(), '/token');
    for (const value of [proof, 'not a proof']) {
      const { status, body } = await postWithProof(server(), '/token', { grant_type: 'client_credentials' }, client, value);
      expect([status, body['token_type']]).to.deep.equal([200, 'Bearer']);
    }
  });

  it('a signed introspection response: it is JSON (RFC 9701 section 4 leaves that to the server)', async () => {
    const client = await server().client();
    const issued = await answerOf(server().post('/token', { grant_type: 'client_credentials' }, client));
    const response = await fetch(`${server().issuer}/introspect`, {
      method: 'POST',
      headers: {
        accept: 'application/token-introspection+jwt',
        authorization: `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`,
      },
      body: new URLSearchParams({ token: String(issued.body['access_token']) }),
    });
    expect(response.headers.get('content-type')).to.equal('application/json');
    expect(await response.json()).to.include({ active: true });
  });

  it('a response mode: invalid_request, in the query', async () => {
    expect((await answered({ response_mode: 'jwt' })).searchParams.get('error')).to.equal('invalid_request');
  });

  it('claims are not looked at, whatever stands there (OpenID Connect Core section 5.5)', async () => {
    expect((await answered({ claims: 'not JSON' })).searchParams.get('code')).to.be.a('string');
  });

  it('resource: invalid_target, for no token must be for another audience than was asked for', async () => {
    expect((await answered({ resource: 'https://api.example' })).searchParams.get('error')).to.equal('invalid_target');
    const form = { grant_type: 'client_credentials', resource: 'https://api.example' };
    expectError(await answerOf(server().post('/token', form, await server().client())), 'invalid_target');
  });
});

describe('a client that was registered before a feature was turned off', () => {
  const FEATURES = '-dpop,-pushed-requests,-request-objects,-back-channel-logout';
  const server = suiteServer({ ...QUICK, FEATURES, OUTBOUND_PRIVATE_ADDRESSES: 'on' });

  /** A client as it stands in the database from before. */
  async function earlier(metadata: Readonly<Record<string, unknown>>): Promise<{ readonly id: string; readonly secret: string }> {
    const client = await server().client();
    const record = await server().repositories.clientStore.find(client.id);
    if (record === undefined) {
      throw new Error('the client is not there');
    }
    await server().repositories.clientStore.replace({ ...record, metadata: { ...record.metadata, ...metadata } });
    return client;
  }

  for (const member of ['require_pushed_authorization_requests', 'require_signed_request_object']) {
    it(`is refused rather than let in by a weaker way: ${member}`, async () => {
      const { url } = codeRequest(server(), await earlier({ [member]: true }));
      expect((await browser(server()).visit(url)).url.searchParams.get('error')).to.equal('invalid_request');
    });
  }

  it('is given no bearer token in place of a bound one: dpop_bound_access_tokens', async () => {
    const client = await earlier({ dpop_bound_access_tokens: true });
    const proof = await proofFor(server(), await proofKey(), '/token');
    expectError(await postWithProof(server(), '/token', { grant_type: 'client_credentials' }, client, proof), 'invalid_dpop_proof');
  });

  it('is not told of a logout, and nothing waits in the outbox: backchannel_logout_uri', async () => {
    const receiver = await startLogoutReceiver();
    const client = await earlier({ backchannel_logout_uri: receiver.uri, skip_consent: true });
    const tab = browser(server());
    const { id_token } = await logIn(server(), client, await server().user(), { scope: 'openid' }, tab);
    await tab.visit(`/logout?id_token_hint=${String(id_token)}`);
    while ((await server().repositories.deliveries.nextDueAt()) !== undefined) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(receiver.received).to.have.length(0);
    await receiver.close();
  });
});
