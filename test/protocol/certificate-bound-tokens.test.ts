import { expect } from 'chai';
import type { Answer } from '../support/answers.ts';
import { answerOf, expectError, postForm, readAccessToken } from '../support/answers.ts';
import { authorize } from '../support/browser.ts';
import { type HeldCertificate, selfSigned } from '../support/certificates.ts';
import { onEachDatabase } from '../support/databases.ts';
import { proofFor, proofKey } from '../support/dpop.ts';
import { behindProxy, passedOn } from '../support/mutual-tls.ts';
import { basic, REDIRECT_URI, startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';

const BOUND = { tls_client_certificate_bound_access_tokens: true };
const PUBLIC = { ...BOUND, token_endpoint_auth_method: 'none' };
const MTLS = 'https://mtls.example';

onEachDatabase('certificate-bound tokens (RFC 8705 section 3)', (database) => {
  let server: TestServer;
  let user: TestUser;
  const certificate = selfSigned();
  const other = selfSigned();
  before(async () => {
    server = await startTestServer(await database.create(), { ...(await behindProxy()).settings, MTLS_BASE_URL: MTLS });
    user = await server.user();
  });
  after(() => server.close());

  function ask(
    path: string,
    client: TestClient,
    form: Readonly<Record<string, string>>,
    shown: HeldCertificate | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> {
    const isPublic = client.secret === '';
    const body = new URLSearchParams({ ...(isPublic ? { client_id: client.id } : {}), ...form }).toString();
    return postForm(server, path, body, { ...(isPublic ? {} : { authorization: basic(client) }), ...passedOn(shown), ...headers });
  }

  const refresh = (client: TestClient, token: unknown, shown: HeldCertificate | undefined): Promise<Answer> =>
    ask('/token', client, { grant_type: 'refresh_token', refresh_token: String(token) }, shown);

  async function loggedIn(client: TestClient): Promise<Answer['body']> {
    const { code, verifier } = await authorize(server, client, user, { scope: 'openid' });
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    const { status, body } = await ask('/token', client, form, certificate);
    expect(status).to.equal(200);
    return body;
  }

  const userinfo = (authorization: string, shown: HeldCertificate | undefined): Promise<Answer> =>
    answerOf(server.get('/userinfo', { authorization, ...passedOn(shown) }));

  const boundTo = async (token: unknown): Promise<unknown> => (await readAccessToken(server, token)).claims['cnf'];

  describe('access tokens', () => {
    it('name the certificate of the connection they were asked for on (section 3.1), and are Bearer tokens', async () => {
      const body = await loggedIn(await server.client(PUBLIC));
      expect(body['token_type']).to.equal('Bearer');
      expect(await boundTo(body['access_token'])).to.deep.equal({ 'x5t#S256': certificate.thumbprint });
    });

    it('are shown with their certificate at introspection (section 3.2)', async () => {
      const client = await server.client(BOUND);
      const { access_token } = await loggedIn(client);
      const { body } = await ask('/introspect', client, { token: String(access_token) }, undefined);
      expect(body).to.deep.include({ active: true, token_type: 'Bearer', cnf: { 'x5t#S256': certificate.thumbprint } });
    });

    it('are of use on connections with that certificate alone (section 3)', async () => {
      const { access_token } = await loggedIn(await server.client(PUBLIC));
      const bearer = `Bearer ${String(access_token)}`;
      expect((await userinfo(bearer, certificate)).status).to.equal(200);
      for (const shown of [other, undefined]) {
        const answer = await userinfo(bearer, shown);
        expectError(answer, 'invalid_token', 401);
        expect(answer.headers.get('www-authenticate')).to.match(/^Bearer .*error="invalid_token"/);
      }
      expectError(await userinfo(`DPoP ${String(access_token)}`, certificate), 'invalid_token', 401);
    });

    it('are not given to a client that insists on them and shows no certificate (section 3.4)', async () => {
      const client = await server.client(BOUND);
      expectError(await ask('/token', client, { grant_type: 'client_credentials' }, undefined), 'invalid_request');
    });

    it('are not bound to a DPoP key instead', async () => {
      const client = await server.client(BOUND);
      const dpop = await proofFor(server, await proofKey(), '/token');
      expectError(await ask('/token', client, { grant_type: 'client_credentials' }, certificate, { dpop }), 'invalid_request');
    });
  });

  describe('refresh tokens (section 4)', () => {
    it('of a public client are of use with their certificate alone, and a thief cannot use them up', async () => {
      const client = await server.client(PUBLIC);
      const { refresh_token } = await loggedIn(client);
      const stolen = await refresh(client, refresh_token, other);
      expectError(stolen, 'invalid_grant');
      expectError(await refresh(client, refresh_token, undefined), 'invalid_request');
      const { status, body } = await refresh(client, refresh_token, certificate);
      expect(status).to.equal(200);
      expect(await boundTo(body['access_token'])).to.deep.equal({ 'x5t#S256': certificate.thumbprint });
      expectError(await refresh(client, body['refresh_token'], other), 'invalid_grant');
      expect((await refresh(client, body['refresh_token'], certificate)).status).to.equal(200);
    });

    it('of a public client do not lose their binding with its registration', async () => {
      const client = await server.client(PUBLIC);
      const { refresh_token } = await loggedIn(client);
      const record = await server.repositories.clientStore.find(client.id);
      expect(record).not.to.equal(undefined);
      const { tls_client_certificate_bound_access_tokens: _, ...metadata } = { ...record?.metadata };
      await server.registration.update(client.id, { ...metadata });
      // The server may know the old registration for a second: either way the token is refused without its certificate.
      const answer = await refresh(client, refresh_token, undefined);
      expect(answer.status).to.equal(400);
      expect(answer.body).not.to.have.property('access_token');
    });

    it('of a client that authenticates go on with a renewed certificate (section 6.3)', async () => {
      const client = await server.client(BOUND);
      const { refresh_token } = await loggedIn(client);
      const { status, body } = await refresh(client, refresh_token, other);
      expect(status).to.equal(200);
      expect(await boundTo(body['access_token'])).to.deep.equal({ 'x5t#S256': other.thumbprint });
    });

    it('can be revoked without the certificate', async () => {
      const client = await server.client(PUBLIC);
      const { refresh_token } = await loggedIn(client);
      expect((await ask('/revoke', client, { token: String(refresh_token) }, undefined)).status).to.equal(200);
      expectError(await refresh(client, refresh_token, certificate), 'invalid_grant');
    });
  });

  describe('server metadata', () => {
    it('names the endpoints that take certificates, at their other address (section 5)', async () => {
      const { body } = await answerOf(server.get('/.well-known/oauth-authorization-server'));
      expect(body['mtls_endpoint_aliases']).to.deep.equal({
        token_endpoint: `${MTLS}/token`,
        revocation_endpoint: `${MTLS}/revoke`,
        introspection_endpoint: `${MTLS}/introspect`,
        pushed_authorization_request_endpoint: `${MTLS}/par`,
        device_authorization_endpoint: `${MTLS}/device_authorization`,
        authorization_challenge_endpoint: `${MTLS}/authorize-challenge`,
        userinfo_endpoint: `${MTLS}/userinfo`,
      });
      expect(body['token_endpoint']).to.equal(`${server.issuer}/token`);
    });

    it('has DPoP proofs made for either address (RFC 9449 section 4.3)', async () => {
      const client = await server.client();
      const key = await proofKey();
      const asked = async (url: string) => {
        const dpop = await key.proof({ url, now: server.clock.now() });
        return ask('/token', client, { grant_type: 'client_credentials' }, certificate, { dpop });
      };
      expect((await asked(`${MTLS}/token`)).body['token_type']).to.equal('DPoP');
      expect((await asked(`${server.issuer}/token`)).body['token_type']).to.equal('DPoP');
      expectError(await asked('https://other.example/token'), 'invalid_dpop_proof');
    });
  });

  it('are not registered together with DPoP-bound ones', async () => {
    const attempt = await server.client({ ...BOUND, dpop_bound_access_tokens: true }).catch((error: unknown) => error);
    expect(attempt).to.be.an('error').with.property('code', 'invalid_client_metadata');
  });
});

onEachDatabase('a server without mutual TLS (RFC 8705)', (database) => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create(), { TRUST_PROXY: '127.0.0.0/8,::1' });
  });
  after(() => server.close());

  it('says nothing of it, and registers nobody for it', async () => {
    const { body } = await answerOf(server.get('/.well-known/oauth-authorization-server'));
    expect(body).not.to.have.any.keys('tls_client_certificate_bound_access_tokens', 'mtls_endpoint_aliases');
    expect(body['token_endpoint_auth_methods_supported']).not.to.include.members(['tls_client_auth']);
    for (const metadata of [BOUND, { token_endpoint_auth_method: 'tls_client_auth', tls_client_auth_san_dns: 'a.example' }]) {
      expect(await server.client(metadata).catch((error: unknown) => error))
        .to.be.an('error')
        .with.property('code', 'invalid_client_metadata');
    }
  });
});
