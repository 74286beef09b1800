import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { clientKeyPair } from '../support/assertions.ts';
import { browser, passPages } from '../support/browser.ts';
import { DOCUMENTS_ON, type DocumentServer, startDocumentServer } from '../support/document-client.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI, type TestUser } from '../support/test-server.ts';

const MCP = 'https://mcp.example/';
// oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
const INSECURE = { [oauth.allowInsecureRequests]: true };

describe('clients that a document of their own describes, with libraries of others', () => {
  const server = suiteServer(DOCUMENTS_ON);
  let documents: DocumentServer;
  let user: TestUser;
  before(async () => {
    documents = await startDocumentServer();
    user = await server().user();
  });
  after(() => documents.close());

  /** What a user's browser brings back to the client. */
  async function arrivalAt(url: URL): Promise<URL> {
    const tab = browser(server());
    const arrival = await passPages(tab, await tab.visit(url), user);
    return new URL(arrival.url);
  }

  describe('openid-client 6', () => {
    const pair = clientKeyPair('ES256');
    const key = async () => {
      const bytes = pair.privateKey.export({ format: 'der', type: 'pkcs8' });
      const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
      return { key: await crypto.subtle.importKey('pkcs8', bytes, algorithm, false, ['sign']), kid: pair.kid };
    };

    for (const method of ['none', 'private_key_jwt'] as const) {
      it(`logs a user in, refreshes and revokes, as a client with ${method}`, async () => {
        const keys = method === 'none' ? {} : { jwks: { keys: [pair.jwk] } };
        const { id } = documents.client({ token_endpoint_auth_method: method, ...keys });
        const authentication = method === 'none' ? client.None() : client.PrivateKeyJwt(await key());
        const config = await client.discovery(new URL(server().issuer), id, undefined, authentication, {
          // oxlint-disable-next-line typescript/no-deprecated -- as above
          execute: [client.allowInsecureRequests],
        });
        expect(config.serverMetadata()).to.include({ client_id_metadata_document_supported: true });
        const verifier = client.randomPKCECodeVerifier();
        const checks = { pkceCodeVerifier: verifier, expectedState: client.randomState(), expectedNonce: client.randomNonce() };
        const url = client.buildAuthorizationUrl(config, {
          redirect_uri: REDIRECT_URI,
          scope: 'openid profile',
          state: checks.expectedState,
          nonce: checks.expectedNonce,
          code_challenge: await client.calculatePKCECodeChallenge(verifier),
          code_challenge_method: 'S256',
        });
        const tokens = await client.authorizationCodeGrant(config, await arrivalAt(url), checks);
        expect(tokens.claims()).to.include({ aud: id, sub: user.id });
        const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
        expect(await client.fetchUserInfo(config, refreshed.access_token, user.id)).to.include({ sub: user.id });
        await client.tokenRevocation(config, refreshed.refresh_token ?? '');
        const refused: unknown = await client.refreshTokenGrant(config, refreshed.refresh_token ?? '').catch((error: unknown) => error);
        expect(refused).to.have.property('error', 'invalid_grant');
        expect(documents.asked({ id, secret: '' })).to.equal(1);
      });
    }
  });

  it('oauth4webapi 3: gets a token for an MCP server, with PKCE and a resource, and refreshes it', async () => {
    const issuer = new URL(server().issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE }));
    const own = { client_id: documents.client().id };
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const url = new URL(as.authorization_endpoint ?? '');
    url.search = new URLSearchParams({
      client_id: own.client_id,
      redirect_uri: REDIRECT_URI,
      response_type: 'code',
      scope: 'api:read',
      resource: MCP,
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    }).toString();
    const parameters = oauth.validateAuthResponse(as, own, await arrivalAt(url), state);
    const options = { ...INSECURE, additionalParameters: { resource: MCP } };
    const response = await oauth.authorizationCodeGrantRequest(as, own, oauth.None(), parameters, REDIRECT_URI, verifier, options);
    const tokens = await oauth.processAuthorizationCodeResponse(as, own, response);
    const refreshing = await oauth.refreshTokenGrantRequest(as, own, oauth.None(), tokens.refresh_token ?? '', options);
    const refreshed = await oauth.processRefreshTokenResponse(as, own, refreshing);
    const request = new Request(MCP, { headers: { authorization: `Bearer ${refreshed.access_token}` } });
    const claims = await oauth.validateJwtAccessToken(as, request, MCP, { signingAlgorithms: ['ES256'], ...INSECURE });
    expect(claims).to.include({ client_id: own.client_id, sub: user.id, scope: 'api:read' });
  });
});
