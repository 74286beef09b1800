import { expect } from 'chai';
import * as client from 'openid-client';
import { browser, passPages } from '../support/browser.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { REDIRECT_URI, startTestServer, type TestServer, type TestUser } from '../support/test-server.ts';

// Every character that must be encoded in HTTP Basic (RFC 6749 section 2.3.1), or that clients disagree about.
const SPECIAL_ID = 'app+mobile@example/1?a=b&c';
const SPECIAL_SECRET = 'p%25:+/=&?#~!*\'()"<>[]{}|\\^`,;$@-._0a';

const METHODS = [
  { name: 'client_secret_basic', alg: 'ES256', authentication: client.ClientSecretBasic },
  { name: 'client_secret_basic', alg: 'RS256', authentication: client.ClientSecretBasic, id: SPECIAL_ID, secret: SPECIAL_SECRET },
  { name: 'client_secret_post', alg: 'RS256', authentication: client.ClientSecretPost, id: `${SPECIAL_ID}#post`, secret: SPECIAL_SECRET },
  { name: 'none', alg: 'ES256', authentication: () => client.None() },
] as const;

describe('openid-client 6', () => {
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

  for (const method of METHODS) {
    const { name, alg } = method;
    describe(`with ${name}${'id' in method ? ' and special characters' : ''}, ${alg}, discovered as ${algorithmOf(name)}`, () => {
      let config: client.Configuration;
      before(async () => {
        const { id, secret } = await server.client({
          token_endpoint_auth_method: name,
          access_token_signed_response_alg: alg,
          ...('id' in method ? { client_id: method.id, client_secret: method.secret } : {}),
        });
        config = await discover(id, secret);
      });

      it('finds the server by its metadata', () => {
        expect(config.serverMetadata()).to.include({ issuer: server.issuer, token_endpoint: `${server.issuer}/token` });
        expect(config.serverMetadata().code_challenge_methods_supported).to.deep.equal(['S256']);
      });

      it('gets tokens for a code with PKCE, state and iss', async () => {
        const { arrival, checks } = await authorize(server, user, config);
        expect(arrival.searchParams.get('iss')).to.equal(server.issuer);
        const tokens = await client.authorizationCodeGrant(config, arrival, checks);
        expect(tokens).to.include({ token_type: 'bearer', scope: 'api:read' });
        expect(tokens.expires_in).to.equal(900);
        expect(tokens.access_token.split('.')).to.have.length(3);
      });

      it('refuses a code that another issuer is said to have sent (RFC 9207 section 2.4)', async () => {
        const { arrival, checks } = await authorize(server, user, config);
        arrival.searchParams.set('iss', 'https://other.example');
        const refusal: unknown = await client.authorizationCodeGrant(config, arrival, checks).catch((error: unknown) => error);
        expect(refusal).to.have.nested.property('cause.message', 'unexpected "iss" (issuer) response parameter value');
      });

      it('reads the refusal of a code that was used before', async () => {
        const { arrival, checks } = await authorize(server, user, config);
        await client.authorizationCodeGrant(config, arrival, checks);
        const refusal = await client.authorizationCodeGrant(config, arrival, checks).catch((error: unknown) => error);
        expect(refusal).to.be.an.instanceOf(client.ResponseBodyError).and.include({ error: 'invalid_grant', status: 400 });
      });

      it('refreshes, and gets the successor', async () => {
        const tokens = await logIn(server, user, config);
        const refreshed = await client.refreshTokenGrant(config, refreshTokenOf(tokens));
        expect(refreshTokenOf(refreshed)).not.to.equal(refreshTokenOf(tokens));
      });

      if (name !== 'none') {
        it('gets a token for itself', async () => {
          const own = await client.clientCredentialsGrant(config, { scope: 'api:write' });
          expect(own).to.include({ token_type: 'bearer', scope: 'api:write' });
          expect(own).not.to.have.property('refresh_token');
        });

        it('asks about both tokens', async () => {
          const tokens = await logIn(server, user, config);
          const about = await client.tokenIntrospection(config, tokens.access_token);
          expect(about).to.include({ active: true, sub: user.id, scope: 'api:read', iss: server.issuer });
          expect(await client.tokenIntrospection(config, refreshTokenOf(tokens))).to.include({ active: true, sub: user.id });
        });
      }

      it('revokes the refresh token, which ends the access token too', async () => {
        const tokens = await logIn(server, user, config);
        await client.tokenRevocation(config, refreshTokenOf(tokens), { token_type_hint: 'refresh_token' });
        const refusal = await client.refreshTokenGrant(config, refreshTokenOf(tokens)).catch((error: unknown) => error);
        expect(refusal).to.be.an.instanceOf(client.ResponseBodyError).and.include({ error: 'invalid_grant' });
        if (name !== 'none') {
          expect(await client.tokenIntrospection(config, tokens.access_token)).to.deep.equal({ active: false });
        }
      });

      if (name !== 'none') {
        it('is told invalid_client when its secret is wrong', async () => {
          const wrong = await discover(config.clientMetadata().client_id, 'wrong');
          const refusal: unknown = await client.clientCredentialsGrant(wrong).catch((error: unknown) => error);
          expect(refusal).to.have.property('status', 401);
        });
      }

      function discover(id: string, secret: string): Promise<client.Configuration> {
        return client.discovery(new URL(server.issuer), id, undefined, method.authentication(secret), {
          algorithm: algorithmOf(name),
          // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
          execute: [client.allowInsecureRequests],
        });
      }
    });
  }
});

/** Both metadata documents get their turn (RFC 8414 section 3; OpenID Connect Discovery section 4). */
function algorithmOf(method: string): 'oauth2' | 'oidc' {
  return method === 'client_secret_basic' ? 'oauth2' : 'oidc';
}

/** A login in a browser, as the client asks for it: where the browser arrives, and what the client must check there. */
async function authorize(server: TestServer, user: TestUser, config: client.Configuration) {
  const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState() };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: 'api:read',
    state: checks.expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const tab = browser(server);
  const arrival = await passPages(tab, await tab.visit(url), user);
  return { arrival: new URL(arrival.url), checks };
}

async function logIn(server: TestServer, user: TestUser, config: client.Configuration): Promise<client.TokenEndpointResponse> {
  const { arrival, checks } = await authorize(server, user, config);
  return client.authorizationCodeGrant(config, arrival, checks);
}

function refreshTokenOf({ refresh_token }: client.TokenEndpointResponse): string {
  expect(refresh_token).to.be.a('string');
  return refresh_token ?? '';
}
