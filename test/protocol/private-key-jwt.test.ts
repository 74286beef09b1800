import { expect } from 'chai';
import { AVAILABLE_ML_DSA } from '../../src/core/ml-dsa.ts';
import type { Answer } from '../support/answers.ts';
import { answerOf, expectError, readAccessToken } from '../support/answers.ts';
import type { Changes, ClientKeyPair } from '../support/assertions.ts';
import { assertionClaims, assertionForm, clientKeyPair, keyClient, signAssertion } from '../support/assertions.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestServer } from '../support/test-server.ts';
import { basic } from '../support/test-server.ts';

const ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
  'EdDSA',
  'Ed25519',
  ...AVAILABLE_ML_DSA,
];

interface KeyClient {
  readonly id: string;
  readonly pair: ClientKeyPair;
}

/** A token request of the client, with an assertion that is changed so. */
async function ask(
  server: TestServer,
  { id, pair }: KeyClient,
  {
    claims = {},
    header = {},
    form = {},
  }: { readonly claims?: Changes; readonly header?: Changes; readonly form?: Readonly<Record<string, string>> } = {},
): Promise<Answer> {
  const assertion = await signAssertion(assertionClaims(server, id, claims), pair, header);
  return answerOf(server.post('/token', { grant_type: 'client_credentials', ...assertionForm(assertion), ...form }));
}

/** Expects the refusal that the whole request was, and the reason that the operator is told. */
function expectRefusal(server: TestServer, answer: Answer, reason: RegExp): void {
  expectError(answer, 'invalid_client', 401);
  expect(server.events.at(-1)).to.have.property('event', 'client_authentication_failed');
  expect(server.events.at(-1)?.fields['reason']).to.match(reason);
}

describe('private_key_jwt (RFC 7523 section 2.2, RFC 10070)', () => {
  const server = suiteServer();
  let client: KeyClient;
  before(async () => {
    client = await keyClient(server());
  });

  const described = async (by: KeyClient) => (await ask(server(), by, { claims: { aud: 'x' } })).body['error_description'];

  for (const alg of ALGORITHMS) {
    it(`authenticates with ${alg}`, async () => {
      const own = await keyClient(server(), {}, clientKeyPair(alg));
      const { status, body } = await ask(server(), own);
      expect(status).to.equal(200);
      expect((await readAccessToken(server(), body['access_token'])).claims).to.include({ sub: own.id, client_id: own.id });
    });
  }

  it('is announced with its algorithms, none of which is none (RFC 8414 section 2)', async () => {
    const { body } = await answerOf(server().get('/.well-known/oauth-authorization-server'));
    for (const endpoint of ['token', 'revocation', 'introspection']) {
      expect(body[`${endpoint}_endpoint_auth_methods_supported`]).to.include.members(['private_key_jwt', 'client_secret_jwt']);
      expect(body[`${endpoint}_endpoint_auth_signing_alg_values_supported`]).to.have.members([...ALGORITHMS, 'HS256']);
    }
  });

  it('needs no client_id beside it, and takes the right one alone (RFC 7521 section 4.2)', async () => {
    expect((await ask(server(), client, { form: { client_id: client.id } })).status).to.equal(200);
    expectError(await ask(server(), client, { form: { client_id: 'other' } }), 'invalid_request');
  });

  it('authenticates at every endpoint that asks who is there', async () => {
    const token = (await ask(server(), client)).body['access_token'];
    const by = async () => assertionForm(await signAssertion(assertionClaims(server(), client.id), client.pair));
    const about = await answerOf(server().post('/introspect', { token: String(token), ...(await by()) }));
    expect(about.body).to.include({ active: true, client_id: client.id });
    expect((await server().post('/revoke', { token: String(token), ...(await by()) })).status).to.equal(200);
    expect((await answerOf(server().post('/introspect', { token: String(token), ...(await by()) }))).body).to.deep.equal({ active: false });
  });

  describe('the claims (RFC 7523 section 3)', () => {
    // Names of FAPI 2.0 conformance modules stand beside the cases that are theirs.
    const refused: Readonly<Record<string, readonly [Changes, RegExp]>> = {
      'no iss': [{ iss: undefined }, /^iss and sub/],
      'the iss of another': [{ iss: 'other' }, /^iss and sub/],
      'no aud': [{ aud: undefined }, /^aud/],
      'another aud (ensure-client-assertion-with-wrong-aud-fails)': [{ aud: 'https://other.example' }, /^aud/],
      'no exp': [{ exp: undefined }, /no exp/],
      'no jti (OpenID Connect Core section 9)': [{ jti: undefined }, /^jti/],
    };
    for (const [what, [claims, reason]] of Object.entries(refused)) {
      it(`are refused with ${what}`, async () => {
        expectRefusal(server(), await ask(server(), client, { claims }), reason);
      });
    }

    it('are refused without sub (ensure-client-assertion-with-no-sub-fails)', async () => {
      expectError(await ask(server(), client, { claims: { sub: undefined } }), 'invalid_client', 401);
    });

    it('name the issuer as the sole audience, and no endpoint of it (RFC 10070 section 4)', async () => {
      const { issuer } = server();
      // par-test-array-as-audience-fails, par-test-par-endpoint-url-as-audience-fails, par-test-token-endpoint-url-as-audience-fails
      for (const aud of [
        `${issuer}/token`,
        `${issuer}/par`,
        `${issuer}/`,
        [issuer, `${issuer}/token`],
        [issuer, 'https://other.example'],
        [],
      ]) {
        expectRefusal(server(), await ask(server(), client, { claims: { aud } }), /^aud/);
      }
      expect((await ask(server(), client, { claims: { aud: [issuer] } })).status).to.equal(200);
    });

    it('are of now: expired, far ahead, of the future', async () => {
      const now = server().clock.now();
      // ensure-client-assertion-with-exp-is-5-minutes-in-past-fails
      expectRefusal(server(), await ask(server(), client, { claims: { exp: now - 300 } }), /expired/);
      expectRefusal(server(), await ask(server(), client, { claims: { exp: now } }), /expired/);
      expectRefusal(server(), await ask(server(), client, { claims: { exp: now + 3600 } }), /too far ahead/);
      // ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails
      expectRefusal(server(), await ask(server(), client, { claims: { nbf: now + 61, exp: now + 200 } }), /future/);
      expectRefusal(server(), await ask(server(), client, { claims: { iat: now + 61, exp: now + 200 } }), /future/);
      // ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted
      expect((await ask(server(), client, { claims: { nbf: now + 8, iat: now + 8, exp: now + 300 } })).status).to.equal(200);
    });

    it('tell the client what is wrong, which has proved to hold the key, and nobody else', async () => {
      expect(await described(client)).to.match(/aud of the assertion must be the issuer/);
      const stranger = await described({ id: client.id, pair: { ...clientKeyPair('ES256'), kid: client.pair.kid } });
      expect(stranger).not.to.match(/aud/);
      expect(stranger).to.equal(await described({ id: 'unknown', pair: client.pair }));
    });
  });

  describe('the header', () => {
    for (const typ of ['JWT', undefined, 'application/client-authentication+jwt']) {
      it(`may say typ ${typ} (RFC 10070 section 4: servers are not to insist)`, async () => {
        expect((await ask(server(), client, { header: { typ } })).status).to.equal(200);
      });
    }

    it('says of no other kind of JWT that it is one (RFC 8725 section 3.11)', async () => {
      for (const typ of ['at+jwt', 'dpop+jwt', 'oauth-authz-req+jwt']) {
        expectRefusal(server(), await ask(server(), client, { header: { typ } }), /^typ/);
      }
    });

    it('needs no kid where one key fits', async () => {
      expect((await ask(server(), client, { header: { kid: undefined } })).status).to.equal(200);
    });

    it('without kid has each key tried that fits', async () => {
      const pairs = ['a', 'b', 'c'].map((kid) => clientKeyPair('ES256', kid));
      const { id } = await server().client({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: pairs.map(({ jwk }) => jwk) } });
      for (const pair of pairs) {
        expect((await ask(server(), { id, pair }, { header: { kid: undefined } })).status).to.equal(200);
      }
      const stranger = clientKeyPair('ES256');
      expectRefusal(
        server(),
        await ask(server(), { id, pair: stranger }, { header: { kid: undefined } }),
        /multiple matching keys|signature/,
      );
    });

    it('with the algorithm that is registered, and no other (OpenID Connect Dynamic Client Registration section 2)', async () => {
      const rsa = clientKeyPair('PS256');
      const own = await keyClient(server(), { token_endpoint_auth_signing_alg: 'PS256' }, rsa);
      expect((await ask(server(), own)).status).to.equal(200);
      // ensure-signed-client-assertion-with-RS256-fails
      expectRefusal(server(), await ask(server(), { id: own.id, pair: { ...rsa, alg: 'RS256' } }), /alg/);
    });
  });

  it('is one of two methods at once, and refused (RFC 6749 section 2.3)', async () => {
    const other = await server().client();
    const assertion = assertionForm(await signAssertion(assertionClaims(server(), client.id), client.pair));
    const form = { grant_type: 'client_credentials', ...assertion };
    expectError(await answerOf(server().post('/token', form, other)), 'invalid_request');
    expectError(await answerOf(server().post('/token', { ...form, client_id: client.id, client_secret: 'x' })), 'invalid_request');
    expect(basic(other)).to.match(/^Basic /);
  });

  it('comes with its type, which is jwt-bearer (RFC 7521 section 4.2)', async () => {
    const { client_assertion = '' } = assertionForm(await signAssertion(assertionClaims(server(), client.id), client.pair));
    const form = { grant_type: 'client_credentials', client_assertion };
    expectError(await answerOf(server().post('/token', form)), 'invalid_request');
    const saml = 'urn:ietf:params:oauth:client-assertion-type:saml2-bearer';
    expectError(await answerOf(server().post('/token', { ...form, client_assertion_type: saml })), 'invalid_client', 401);
    for (const broken of ['x', 'a.b', 'a.b.c', `${client_assertion}.`, client_assertion.split('.').slice(0, 2).join('.')]) {
      expectError(await answerOf(server().post('/token', { ...form, ...assertionForm(broken) })), 'invalid_client', 401);
    }
  });

  it('is for clients that are registered for it', async () => {
    const { id } = await server().client({ jwks: { keys: [client.pair.jwk] } });
    expectRefusal(server(), await ask(server(), { id, pair: client.pair }), /registered for client_secret_basic/);
    const open = await server().client({ token_endpoint_auth_method: 'none', jwks: { keys: [client.pair.jwk] } });
    expectRefusal(server(), await ask(server(), { id: open.id, pair: client.pair }), /registered for none/);
    expectError(await answerOf(server().post('/token', { grant_type: 'client_credentials', client_id: client.id })), 'invalid_client', 401);
  });

  describe('of a client with client_assertion_legacy_audience', () => {
    let legacy: KeyClient;
    before(async () => {
      legacy = await keyClient(server(), { client_assertion_legacy_audience: true });
    });

    it('may name the addresses of endpoints, and each time is audited', async () => {
      const { body } = await answerOf(server().get('/.well-known/oauth-authorization-server'));
      const endpoint = String(body['token_endpoint']);
      for (const aud of [endpoint, [endpoint], [server().issuer, endpoint], `${server().issuer}/par`]) {
        expect((await ask(server(), legacy, { claims: { aud }, header: { typ: 'JWT' } })).status).to.equal(200);
        expect(server().events.at(-1)).to.have.property('event', 'client_assertion_legacy_audience');
        expect(server().events.at(-1)?.fields).to.include({ clientId: legacy.id });
      }
    });

    it('may do as the others do, which is not worth an event', async () => {
      const before = server().events.length;
      expect((await ask(server(), legacy)).status).to.equal(200);
      expect(
        server()
          .events.slice(before)
          .map(({ event }) => event),
      ).not.to.include('client_assertion_legacy_audience');
    });

    it('names nobody else all the same', async () => {
      const { issuer } = server();
      for (const aud of ['https://other.example/token', [issuer, 'https://other.example'], `${issuer}/token?x`]) {
        expectRefusal(server(), await ask(server(), legacy, { claims: { aud } }), /^aud/);
      }
    });
  });
});

describe('keys of clients at their jwks_uri (RFC 7591 section 2)', () => {
  const server = suiteServer({ OUTBOUND_PRIVATE_ADDRESSES: 'on' });
  let keys: KeyServer;
  before(async () => {
    keys = await startKeyServer();
  });
  after(() => keys.close());

  const clientAt = async (path: string) =>
    (await server().client({ token_endpoint_auth_method: 'private_key_jwt', jwks_uri: `${keys.url}${path}` })).id;
  const fetchesOf = (path: string) => keys.requests.filter((request) => request === path).length;

  it('are fetched once, and again when an unknown kid comes (oidcc-refresh-token-rp-key-rotation), every 30 seconds at most', async () => {
    const [first, second, third] = [clientKeyPair('ES256'), clientKeyPair('ES256'), clientKeyPair('ES256')];
    const id = await clientAt('/rotating');
    keys.publish([first.jwk]);
    expect((await ask(server(), { id, pair: first })).status).to.equal(200);
    expect((await ask(server(), { id, pair: first })).status).to.equal(200);
    expect(fetchesOf('/rotating')).to.equal(1);
    server().clock.advance(31);
    keys.publish([second.jwk]);
    expect((await ask(server(), { id, pair: second })).status).to.equal(200);
    expect(fetchesOf('/rotating')).to.equal(2);
    // The key that was taken away is worth nothing from then on.
    expectRefusal(server(), await ask(server(), { id, pair: first }), /no applicable key/);
    keys.publish([third.jwk]);
    expectRefusal(server(), await ask(server(), { id, pair: third }), /no applicable key/);
    expect(fetchesOf('/rotating')).to.equal(2);
    server().clock.advance(31);
    expect((await ask(server(), { id, pair: third })).status).to.equal(200);
  });

  it('are not fetched for a client that may not use them, or is not there', async () => {
    const pair = clientKeyPair('ES256');
    keys.publish([pair.jwk]);
    const { id } = await server().client({ jwks_uri: `${keys.url}/idle` });
    expectRefusal(server(), await ask(server(), { id, pair }), /registered for client_secret_basic/);
    expectRefusal(server(), await ask(server(), { id: 'unknown', pair }), /unknown client/);
    expect(fetchesOf('/idle')).to.equal(0);
  });

  it('are used as far as they can be', async () => {
    const pair = clientKeyPair('Ed25519');
    const id = await clientAt('/mixed');
    keys.publish([{ kty: 'oct', k: 'AAAA', kid: 'shared' }, { kty: 'AKP', kid: 'new' }, pair.jwk]);
    expect((await ask(server(), { id, pair })).status).to.equal(200);
  });

  it('are missed without harm: a server that is down, slow to answer, or says something else', async () => {
    const pair = clientKeyPair('ES256');
    for (const [path, body, reason] of [
      ['/html', '<html>', /not JSON by its Content-Type/],
      ['/list', '[]', /not a JSON Web Key Set/],
    ] as const) {
      const type = path === '/html' ? 'text/html' : 'application/json';
      keys.answer((_, response) => response.writeHead(200, { 'content-type': type }).end(body));
      const id = await clientAt(path);
      expectRefusal(server(), await ask(server(), { id, pair }), reason);
      // Remembered: the next request does not ask again.
      expectRefusal(server(), await ask(server(), { id, pair }), reason);
      expect(fetchesOf(path)).to.equal(1);
    }
    keys.publish([pair.jwk]);
    server().clock.advance(31);
    const id = await clientAt('/html');
    expect((await ask(server(), { id, pair })).status).to.equal(200);
  });
});
