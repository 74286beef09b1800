import { expect } from 'chai';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { answerOf, expectError } from '../support/answers.ts';
import { accessTokenOf, EVERY_ALGORITHM } from '../support/interop.ts';
import { suiteServer } from '../support/suite-server.ts';
import { basic, type TestClient } from '../support/test-server.ts';

const API = 'https://api.example';
const SIGNED = 'application/token-introspection+jwt';

describe('JWT response for token introspection (RFC 9701)', () => {
  const server = suiteServer(EVERY_ALGORITHM);
  let client: TestClient;
  let api: TestClient;
  let token: string;
  before(async () => {
    client = await server().client({ allowed_resources: [API] });
    api = await server().client({ protected_resources: [API], grant_types: ['client_credentials'], redirect_uris: [] });
    token = await accessTokenOf(server(), client);
  });

  function introspect(accept: string | undefined, as: TestClient | undefined, form: Readonly<Record<string, string>> = { token }) {
    const headers = { ...(accept === undefined ? {} : { accept }), ...(as === undefined ? {} : { authorization: basic(as) }) };
    return fetch(`${server().issuer}/introspect`, { method: 'POST', body: new URLSearchParams(form), headers });
  }

  async function read(response: Response, as: TestClient) {
    expect([response.status, response.headers.get('content-type'), response.headers.get('cache-control')]).to.deep.equal([
      200,
      SIGNED,
      'no-store',
    ]);
    const keys = (await answerOf(server().get('/jwks'))).body as unknown as JSONWebKeySet;
    const { payload, protectedHeader } = await jwtVerify(await response.text(), createLocalJWKSet(keys), {
      issuer: server().issuer,
      audience: as.id,
      typ: 'token-introspection+jwt',
    });
    return { claims: payload, header: protectedHeader, about: payload['token_introspection'] as Record<string, unknown> };
  }

  it('is the answer of RFC 7662 in a claim, signed for the one who asks (section 5)', async () => {
    const { claims, about } = await read(await introspect(SIGNED, api), api);
    expect(claims).to.have.all.keys('iss', 'aud', 'iat', 'token_introspection').and.to.include({ iat: server().clock.now() });
    const plain = await answerOf(introspect('application/json', api));
    expect(about).to.deep.equal(plain.body).and.to.include({ active: true, client_id: client.id, aud: API });
  });

  it('has neither sub nor exp of its own, so that it is no token (section 5)', async () => {
    const { claims } = await read(await introspect(SIGNED, api), api);
    expect(claims).not.to.have.any.keys('sub', 'exp', 'client_id', 'scope');
  });

  it('says nothing but active: false of a token that is not for the caller, or none (section 5)', async () => {
    const stranger = await server().client();
    expect((await read(await introspect(SIGNED, stranger), stranger)).about).to.deep.equal({ active: false });
    expect((await read(await introspect(SIGNED, api, { token: 'x' }), api)).about).to.deep.equal({ active: false });
  });

  it('is signed by RS256, or by what the caller is registered for (section 6)', async () => {
    expect((await read(await introspect(SIGNED, api), api)).header.alg).to.equal('RS256');
    for (const alg of ['ES256', 'ES384', 'ES512', 'PS256', 'Ed25519', 'EdDSA']) {
      const other = await server().client({ protected_resources: [API], introspection_signed_response_alg: alg });
      expect((await read(await introspect(SIGNED, other), other)).header.alg).to.equal(alg);
    }
  });

  it('is there for who asks for it by Accept, and JSON is for everybody else (section 4)', async () => {
    const registered = await server().client({ protected_resources: [API], introspection_signed_response_alg: 'ES256' });
    for (const accept of [undefined, '*/*', 'application/json', `application/json, ${SIGNED};q=0.5`, `${SIGNED};q=0`, 'application/jwt']) {
      const response = await introspect(accept, registered);
      expect(response.headers.get('content-type'), accept).to.equal('application/json');
      await response.text();
    }
    for (const accept of [SIGNED, SIGNED.toUpperCase(), `application/json;q=0.1, ${SIGNED}`, `${SIGNED}, */*`]) {
      await read(await introspect(accept, registered), registered);
    }
  });

  it('is refused with 400 to callers that do not authenticate (section 5)', async () => {
    expectError(await answerOf(introspect(SIGNED, undefined)), 'invalid_request');
    const app = await server().client({ token_endpoint_auth_method: 'none' });
    expectError(await answerOf(introspect(SIGNED, undefined, { token, client_id: app.id })), 'invalid_request');
    expectError(await answerOf(introspect(SIGNED, { ...api, secret: 'x'.repeat(43) })), 'invalid_client', 401);
  });

  it('is taken for nothing else: not for an access token, nor asked about as one', async () => {
    const jwt = await (await introspect(SIGNED, client)).text();
    expect((await answerOf(introspect('application/json', client, { token: jwt }))).body).to.deep.equal({ active: false });
    const userinfo = await server().get('/userinfo', { authorization: `Bearer ${jwt}` });
    expect(userinfo.status).to.equal(401);
    await userinfo.text();
  });

  it('is in the metadata (section 7)', async () => {
    const { body } = await answerOf(server().get('/.well-known/oauth-authorization-server'));
    expect(body['introspection_signing_alg_values_supported']).to.deep.equal(server().config.signingAlgorithms);
  });
});
