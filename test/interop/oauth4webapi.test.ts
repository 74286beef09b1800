import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import { browser, passPages } from '../support/browser.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { REDIRECT_URI, startTestServer, type TestServer, type TestUser } from '../support/test-server.ts';

// oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
const INSECURE = { [oauth.allowInsecureRequests]: true };
const API = 'https://api.example/';

const CLIENTS = [
  { method: 'client_secret_basic', alg: 'RS256', discovery: 'oauth2', authentication: oauth.ClientSecretBasic },
  { method: 'client_secret_post', alg: 'ES256', discovery: 'oidc', authentication: oauth.ClientSecretPost },
  { method: 'none', alg: 'RS256', discovery: 'oauth2', authentication: () => oauth.None() },
] as const;

describe('oauth4webapi 3, which takes nothing but what the specifications say', () => {
  const databases = sqliteDatabases();
  let server: TestServer;
  let user: TestUser;
  before(async () => {
    server = await startTestServer(await databases.create());
    user = await server.user();
  });
  after(async () => {
    await server.close();
    await databases.dispose();
  });

  for (const { method, alg, discovery, authentication } of CLIENTS) {
    describe(`${method}, ${alg}, discovered as ${discovery}`, () => {
      let as: oauth.AuthorizationServer;
      let client: oauth.Client;
      let clientAuth: oauth.ClientAuth;
      before(async () => {
        const { id, secret } = await server.client({
          token_endpoint_auth_method: method,
          access_token_signed_response_alg: alg,
          allowed_resources: [API],
        });
        client = { client_id: id };
        clientAuth = authentication(secret);
        const issuer = new URL(server.issuer);
        as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: discovery, ...INSECURE }));
      });

      it('gets tokens for a code with PKCE, and the access token passes at a resource server', async () => {
        const tokens = await logIn(as, client, clientAuth);
        expect(tokens).to.include({ token_type: 'bearer', scope: 'api:read' });
        const claims = await asResourceServer(as, tokens.access_token, alg);
        expect(claims).to.include({ sub: user.id, client_id: client.client_id, scope: 'api:read' });
        expect(claims.auth_time).to.be.a('number');
      });

      it('has its access token refused by a resource server elsewhere', async () => {
        const { access_token } = await logIn(as, client, clientAuth);
        const refusal: unknown = await asResourceServer(as, access_token, alg, 'https://other.example/').catch((error: unknown) => error);
        expect(refusal).to.have.property('code', oauth.JWT_CLAIM_COMPARISON);
      });

      it('refreshes, and a retry gets the same successor', async () => {
        const tokens = await logIn(as, client, clientAuth);
        const [one, other] = await Promise.all([refresh(tokens), refresh(tokens)]);
        expect(one.refresh_token).to.be.a('string').and.not.equal(tokens.refresh_token);
        expect(other.refresh_token).to.equal(one.refresh_token);
        await asResourceServer(as, one.access_token, alg);
      });

      if (method !== 'none') {
        it('gets a token for itself', async () => {
          const response = await oauth.clientCredentialsGrantRequest(as, client, clientAuth, { scope: 'api:write' }, INSECURE);
          const own = await oauth.processClientCredentialsResponse(as, client, response);
          const claims = await asResourceServer(as, own.access_token, alg);
          expect(claims).to.include({ sub: client.client_id, scope: 'api:write' });
        });

        it('asks about an access token', async () => {
          const { access_token } = await logIn(as, client, clientAuth);
          expect(await introspect(access_token)).to.include({ active: true, client_id: client.client_id, sub: user.id });
        });
      }

      it('revokes the refresh token, which ends all that came of it', async () => {
        const tokens = await logIn(as, client, clientAuth);
        const response = await oauth.revocationRequest(as, client, clientAuth, refreshTokenOf(tokens), INSECURE);
        await oauth.processRevocationResponse(response);
        const refusal: unknown = await refresh(tokens).catch((error: unknown) => error);
        expect(refusal).to.be.an.instanceOf(oauth.ResponseBodyError).and.include({ error: 'invalid_grant', status: 400 });
        if (method !== 'none') {
          expect(await introspect(tokens.access_token)).to.deep.equal({ active: false });
        }
      });

      async function refresh({ refresh_token = '' }: oauth.TokenEndpointResponse): Promise<oauth.TokenEndpointResponse> {
        const response = await oauth.refreshTokenGrantRequest(as, client, clientAuth, refresh_token, INSECURE);
        return oauth.processRefreshTokenResponse(as, client, response);
      }

      async function introspect(token: string): Promise<oauth.IntrospectionResponse> {
        const response = await oauth.introspectionRequest(as, client, clientAuth, token, INSECURE);
        return oauth.processIntrospectionResponse(as, client, response);
      }
    });
  }

  it('is told invalid_client with a challenge when the secret is wrong (RFC 6749 section 5.2)', async () => {
    const issuer = new URL(server.issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE }));
    const client = { client_id: (await server.client()).id };
    const response = await oauth.clientCredentialsGrantRequest(as, client, oauth.ClientSecretBasic('wrong'), {}, INSECURE);
    const refusal: unknown = await oauth.processClientCredentialsResponse(as, client, response).catch((error: unknown) => error);
    expect(refusal).to.be.an.instanceOf(oauth.WWWAuthenticateChallengeError).and.include({ status: 401 });
  });

  it('is told access_denied when the user does not allow it', async () => {
    const issuer = new URL(server.issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE }));
    const client = { client_id: (await server.client()).id };
    const { url, state } = await authorizationUrl(as, client);
    const tab = browser(server);
    const consent = await tab.submit(await tab.visit(url), { username: user.username, password: user.password });
    const arrival = await tab.submit(consent, { decision: 'deny' });
    expect(() => oauth.validateAuthResponse(as, client, new URL(arrival.url), state))
      .to.throw(oauth.AuthorizationResponseError)
      .with.property('error', 'access_denied');
  });

  async function logIn(as: oauth.AuthorizationServer, client: oauth.Client, clientAuth: oauth.ClientAuth) {
    const { url, state, verifier } = await authorizationUrl(as, client);
    const tab = browser(server);
    const arrival = await passPages(tab, await tab.visit(url), user);
    // Checks state and iss: the metadata says that there is one (RFC 9207 section 2.3).
    expect(as.authorization_response_iss_parameter_supported).to.equal(true);
    const parameters = oauth.validateAuthResponse(as, client, new URL(arrival.url), state);
    const response = await oauth.authorizationCodeGrantRequest(as, client, clientAuth, parameters, REDIRECT_URI, verifier, INSECURE);
    return oauth.processAuthorizationCodeResponse(as, client, response);
  }
});

async function authorizationUrl(as: oauth.AuthorizationServer, client: oauth.Client) {
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(as.authorization_endpoint ?? '');
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: REDIRECT_URI,
    response_type: 'code',
    scope: 'api:read',
    state,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }).toString();
  return { url, state, verifier };
}

/** RFC 9068 section 4, by the library's own validation. */
function asResourceServer(as: oauth.AuthorizationServer, token: string, alg: string, audience: string = API) {
  const request = new Request(API, { headers: { authorization: `Bearer ${token}` } });
  return oauth.validateJwtAccessToken(as, request, audience, { signingAlgorithms: [alg], ...INSECURE });
}

function refreshTokenOf({ refresh_token }: oauth.TokenEndpointResponse): string {
  expect(refresh_token).to.be.a('string');
  return refresh_token ?? '';
}
