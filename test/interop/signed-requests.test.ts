import type { webcrypto } from 'node:crypto';
import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { type ClientKeyPair, clientKeyPair } from '../support/assertions.ts';
import { answerAt } from '../support/authorization-requests.ts';
import { browser, passPages } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI, type TestClient, type TestUser } from '../support/test-server.ts';

describe('openid-client 6: pushed and signed requests, signed answers', () => {
  const server = suiteServer();
  const pair = clientKeyPair('ES256');
  let user: TestUser;
  let registered: TestClient;
  before(async () => {
    user = await server().user();
    registered = await server().client({
      jwks: { keys: [pair.jwk] },
      require_signed_request_object: true,
      require_pushed_authorization_requests: true,
    });
  });

  function discover({ id, secret }: TestClient, metadata: Partial<client.ClientMetadata> = {}): Promise<client.Configuration> {
    return client.discovery(new URL(server().issuer), id, metadata, client.ClientSecretBasic(secret), {
      // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
      execute: [client.allowInsecureRequests],
    });
  }

  async function arrive(url: URL) {
    const tab = browser(server());
    return passPages(tab, await tab.visit(url), user);
  }

  it('pushes a request and gets tokens for its code (RFC 9126)', async () => {
    const config = await discover(await server().client());
    const { checks, parameters } = await requested();
    const url = await client.buildAuthorizationUrlWithPAR(config, parameters);
    expect([...url.searchParams.keys()]).to.have.members(['client_id', 'request_uri']);
    const { url: arrival } = await arrive(url);
    expect(await client.authorizationCodeGrant(config, new URL(arrival), checks)).to.include({ scope: 'openid api:read' });
  });

  it('signs a request (RFC 9101), pushes it (RFC 9126), and reads a signed answer (JARM)', async () => {
    const config = await discover(registered, { authorization_signed_response_alg: 'RS256' });
    client.useJwtResponseMode(config);
    const { checks, parameters } = await requested();
    const object = await client.buildAuthorizationUrlWithJAR(config, parameters, await signingKey(pair));
    const url = await client.buildAuthorizationUrlWithPAR(config, object.searchParams);
    const { url: arrival } = await arrive(url);
    expect([...arrival.searchParams.keys()]).to.deep.equal(['response']);
    expect(await client.authorizationCodeGrant(config, new URL(arrival), checks)).to.include({ scope: 'openid api:read' });
  });

  it('signs a request and sends it with the browser (RFC 9101)', async () => {
    const config = await discover(await server().client({ jwks: { keys: [pair.jwk] }, require_signed_request_object: true }));
    const { checks, parameters } = await requested();
    const { url: arrival } = await arrive(await client.buildAuthorizationUrlWithJAR(config, parameters, await signingKey(pair)));
    expect(await client.authorizationCodeGrant(config, new URL(arrival), checks)).to.include({ scope: 'openid api:read' });
  });

  it('reads the answer that is posted to it (form_post), signed or not', async () => {
    for (const response_mode of ['form_post', 'form_post.jwt']) {
      const config = await discover(await server().client(), { authorization_signed_response_alg: 'RS256' });
      if (response_mode.endsWith('.jwt')) {
        client.useJwtResponseMode(config);
      }
      const { checks, parameters } = await requested();
      const page = await arrive(client.buildAuthorizationUrl(config, { ...parameters, response_mode }));
      const posted = new Request(REDIRECT_URI, { method: 'POST', body: new URLSearchParams(answerAt(page)) });
      expect(await client.authorizationCodeGrant(config, posted, checks)).to.include({ scope: 'openid api:read' });
    }
  });

  it('asks about a token and reads a signed answer (RFC 9701)', async () => {
    const config = await discover(await server().client(), { introspection_signed_response_alg: 'RS256' });
    const { access_token } = await client.clientCredentialsGrant(config, { scope: 'api:read' });
    expect(await client.tokenIntrospection(config, access_token)).to.include({ active: true, scope: 'api:read', iss: server().issuer });
  });

  it('oauth4webapi 3 does the same by hand', async () => {
    // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
    const insecure = { [oauth.allowInsecureRequests]: true };
    const issuer = new URL(server().issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));
    const me: oauth.Client = {
      client_id: registered.id,
      authorization_signed_response_alg: 'RS256',
      introspection_signed_response_alg: 'RS256',
    };
    const authentication = oauth.ClientSecretBasic(registered.secret);
    const verifier = oauth.generateRandomCodeVerifier();
    const state = oauth.generateRandomState();
    const parameters = new URLSearchParams({
      client_id: me.client_id,
      response_type: 'code',
      response_mode: 'jwt',
      redirect_uri: REDIRECT_URI,
      scope: 'api:read',
      state,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const request = await oauth.issueRequestObject(as, me, parameters, await signingKey(pair));
    const pushed = await oauth.processPushedAuthorizationResponse(
      as,
      me,
      await oauth.pushedAuthorizationRequest(as, me, authentication, { client_id: me.client_id, request }, insecure),
    );
    const query = new URLSearchParams({ client_id: me.client_id, request_uri: pushed.request_uri });
    const { url: arrival } = await arrive(new URL(`${as.authorization_endpoint ?? ''}?${query.toString()}`));
    const answer = await oauth.validateJwtAuthResponse(as, me, new URL(arrival), state, insecure);
    const response = await oauth.authorizationCodeGrantRequest(as, me, authentication, answer, REDIRECT_URI, verifier, insecure);
    const { access_token: token } = await oauth.processAuthorizationCodeResponse(as, me, response);
    const asked = await oauth.introspectionRequest(as, me, authentication, token, insecure);
    expect(asked.headers.get('content-type')).to.equal('application/token-introspection+jwt');
    const about = await oauth.processIntrospectionResponse(as, me, asked);
    expect(about).to.include({ active: true, sub: user.id });
  });
});

/** An authorization request with PKCE and state, and what the client checks the answer by. */
async function requested() {
  const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState() };
  const parameters = {
    redirect_uri: REDIRECT_URI,
    scope: 'openid api:read',
    state: checks.expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
  };
  return { checks, parameters };
}

/** The private key as the Web Cryptography API has it. */
async function signingKey({ privateKey, kid }: ClientKeyPair): Promise<{ readonly key: webcrypto.CryptoKey; readonly kid: string }> {
  const jwk = privateKey.export({ format: 'jwk' });
  return { key: await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']), kid };
}
