import type { webcrypto } from 'node:crypto';
import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { type ClientKeyPair, clientKeyPair } from '../support/assertions.ts';
import { browser, passPages } from '../support/browser.ts';
import { COMMON_NAME } from '../support/certificates.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { behindProxy, passedOn } from '../support/mutual-tls.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI, startTestServer, type TestServer, type TestUser } from '../support/test-server.ts';

// oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
const INSECURE = { [oauth.allowInsecureRequests]: true };

/** All of the FAPI 2.0 Security Profile and of Message Signing: pushed, signed, bound, and every answer a JWT. */
const PROFILE = {
  profile: 'fapi2',
  require_signed_request_object: true,
  response_modes: ['jwt'],
  authorization_signed_response_alg: 'ES256',
  introspection_signed_response_alg: 'ES256',
  id_token_signed_response_alg: 'ES256',
  userinfo_signed_response_alg: 'ES256',
  grant_types: ['authorization_code', 'refresh_token'],
  scope: 'openid profile api:read',
};
/** What the client itself has to know of it. */
const OWN = {
  authorization_signed_response_alg: 'ES256',
  introspection_signed_response_alg: 'ES256',
  id_token_signed_response_alg: 'ES256',
  userinfo_signed_response_alg: 'ES256',
};

describe('openid-client 6 with the profile fapi2: pushed, signed, bound, from login to revocation', () => {
  const pair = clientKeyPair('ES256');

  /** The whole way of a user and a client. @param options go with each request of the client. */
  async function wholeFlow(
    server: TestServer,
    config: client.Configuration,
    tokenType: string,
    options?: { readonly DPoP: client.DPoPHandle },
  ): Promise<Readonly<Record<string, unknown>>> {
    client.useJwtResponseMode(config);
    const user = await server.user({ name: 'Ada' });
    const nonce = client.randomNonce();
    const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState(), expectedNonce: nonce };
    const parameters = {
      redirect_uri: REDIRECT_URI,
      scope: 'openid profile api:read',
      state: checks.expectedState,
      nonce,
      code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
    };
    const object = await client.buildAuthorizationUrlWithJAR(config, parameters, await webKey(pair));
    const url = await client.buildAuthorizationUrlWithPAR(config, object.searchParams, options);
    expect([...url.searchParams.keys()]).to.have.members(['client_id', 'request_uri']);
    const tab = browser(server);
    const login = await tab.visit(url);
    const consent = await tab.submit(login, { username: user.username, password: user.password });
    const { url: arrival } = await tab.submit(consent, { decision: 'allow' });
    expect([...arrival.searchParams.keys()]).to.deep.equal(['response']);

    const tokens = await client.authorizationCodeGrant(config, new URL(arrival), checks, undefined, options);
    expect(tokens).to.include({ token_type: tokenType, scope: 'openid profile api:read' });
    expect(tokens.claims()).to.include({ sub: user.id, nonce });
    expect(await client.fetchUserInfo(config, tokens.access_token, user.id, options)).to.include({ sub: user.id, name: 'Ada' });

    const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, options);
    expect(refreshed.token_type).to.equal(tokenType);
    // No rotation (Security Profile section 5.3.2.1): the token is the same, or none comes with the answer.
    expect(refreshed.refresh_token ?? tokens.refresh_token).to.equal(tokens.refresh_token);
    const seen = await client.tokenIntrospection(config, refreshed.access_token);
    expect(seen).to.include({ active: true, sub: user.id, client_id: config.clientMetadata().client_id });

    await client.tokenRevocation(config, tokens.refresh_token ?? '');
    expect(await client.tokenIntrospection(config, refreshed.access_token)).to.deep.equal({ active: false });
    for (const after of [
      () => client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, options),
      () => client.fetchUserInfo(config, refreshed.access_token, user.id, options),
    ]) {
      expect(await after().catch((error: unknown) => error)).to.be.an('error');
    }
    return seen;
  }

  describe('private_key_jwt and DPoP', () => {
    for (const settings of [{}, { DPOP_NONCE: 'on' }]) {
      const server = suiteServer(settings);

      it(`goes all the way ${'DPOP_NONCE' in settings ? 'with nonces of the server' : 'without nonces'}`, async () => {
        const { id } = await server().client({
          ...PROFILE,
          token_endpoint_auth_method: 'private_key_jwt',
          jwks: { keys: [pair.jwk] },
        });
        const config = await client.discovery(new URL(server().issuer), id, OWN, client.PrivateKeyJwt(await webKey(pair)), {
          // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
          execute: [client.allowInsecureRequests],
        });
        const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
        const seen = await wholeFlow(server(), config, 'dpop', { DPoP });
        expect(seen['cnf']).to.deep.equal({ jkt: await DPoP.calculateThumbprint() });
      });
    }
  });

  describe('mutual TLS, for authentication and binding', () => {
    const databases = sqliteDatabases();
    after(() => databases.dispose());

    it('goes all the way with tls_client_auth', async () => {
      const { settings, clients } = await behindProxy();
      const server = await startTestServer(await databases.create(), settings);
      try {
        const { id } = await server.client({
          ...PROFILE,
          token_endpoint_auth_method: 'tls_client_auth',
          tls_client_auth_subject_dn: 'CN=api',
          tls_client_certificate_bound_access_tokens: true,
          jwks: { keys: [pair.jwk] },
        });
        const certificate = clients.issue({ subject: [[COMMON_NAME, 'api']] });
        const config = await client.discovery(new URL(server.issuer), id, OWN, client.TlsClientAuth(), {
          // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
          execute: [client.allowInsecureRequests],
          [client.customFetch]: (url, { headers, ...init }) =>
            fetch(url, { ...init, headers: { ...headers, ...passedOn(certificate) } } as RequestInit),
        });
        const seen = await wholeFlow(server, config, 'bearer');
        expect(seen['cnf']).to.deep.equal({ 'x5t#S256': certificate.thumbprint });
      } finally {
        await server.close();
      }
    });
  });
});

describe('oauth4webapi 3 with the profile fapi2, step by step', () => {
  const server = suiteServer();
  const pair = clientKeyPair('ES256');
  let user: TestUser;
  before(async () => {
    user = await server().user({ name: 'Ada' });
  });

  it('goes all the way with private_key_jwt and DPoP', async () => {
    const { id } = await server().client({ ...PROFILE, token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [pair.jwk] } });
    const issuer = new URL(server().issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, INSECURE));
    const me: oauth.Client = { client_id: id, ...OWN };
    const key = await webKey(pair);
    const authentication = oauth.PrivateKeyJwt(key);
    const DPoP = oauth.DPoP(me, await oauth.generateKeyPair('ES256'));
    const options = { ...INSECURE, DPoP };
    const [verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
    const parameters = new URLSearchParams({
      client_id: id,
      response_type: 'code',
      response_mode: 'jwt',
      redirect_uri: REDIRECT_URI,
      scope: 'openid profile api:read',
      state,
      nonce,
      code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
    });
    const request = await oauth.issueRequestObject(as, me, parameters, key);
    const push = await oauth.pushedAuthorizationRequest(as, me, authentication, { client_id: id, request }, options);
    const { request_uri } = await oauth.processPushedAuthorizationResponse(as, me, push);

    const tab = browser(server());
    const query = new URLSearchParams({ client_id: id, request_uri });
    const { url } = await passPages(tab, await tab.visit(`${as.authorization_endpoint ?? ''}?${query.toString()}`), user);
    const answer = await oauth.validateJwtAuthResponse(as, me, new URL(url), state, INSECURE);
    const response = await oauth.authorizationCodeGrantRequest(as, me, authentication, answer, REDIRECT_URI, verifier, options);
    const tokens = await oauth.processAuthorizationCodeResponse(as, me, response, { expectedNonce: nonce, requireIdToken: true });
    await oauth.validateApplicationLevelSignature(as, response, INSECURE);
    expect(tokens.token_type).to.equal('dpop');

    const about = await oauth.userInfoRequest(as, me, tokens.access_token, options);
    expect(about.headers.get('content-type')).to.equal('application/jwt');
    expect(await oauth.processUserInfoResponse(as, me, user.id, about)).to.include({ sub: user.id, name: 'Ada' });
    await oauth.validateApplicationLevelSignature(as, about, INSECURE);

    const refresh = await oauth.refreshTokenGrantRequest(as, me, authentication, tokens.refresh_token ?? '', options);
    const refreshed = await oauth.processRefreshTokenResponse(as, me, refresh);
    const asked = await oauth.introspectionRequest(as, me, authentication, refreshed.access_token, INSECURE);
    expect(asked.headers.get('content-type')).to.equal('application/token-introspection+jwt');
    expect(await oauth.processIntrospectionResponse(as, me, asked)).to.include({ active: true, sub: user.id });
    await oauth.validateApplicationLevelSignature(as, asked, INSECURE);

    await oauth.processRevocationResponse(await oauth.revocationRequest(as, me, authentication, tokens.refresh_token ?? '', INSECURE));
    const afterwards = await oauth.introspectionRequest(as, me, authentication, refreshed.access_token, INSECURE);
    expect(await oauth.processIntrospectionResponse(as, me, afterwards)).to.deep.include({ active: false });
  });
});

/** The private key as the Web Cryptography API has it. */
async function webKey({ privateKey, kid }: ClientKeyPair): Promise<{ readonly key: webcrypto.CryptoKey; readonly kid: string }> {
  const jwk = privateKey.export({ format: 'jwk' });
  return { key: await crypto.subtle.importKey('jwk', jwk, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign']), kid };
}
