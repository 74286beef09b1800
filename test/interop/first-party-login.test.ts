import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { challenge, directRequest, typed } from '../support/first-party.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI, type TestUser } from '../support/test-server.ts';

// oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
const INSECURE = { [oauth.allowInsecureRequests]: true };

describe('a code of the authorization challenge endpoint, in the hands of usual clients', () => {
  const server = suiteServer();
  let user: TestUser;
  before(async () => {
    user = await server().user();
  });

  /** The address that a redirect would have brought, made of the answer. */
  async function arrivalOf(as: { readonly id: string; readonly secret: string }, changes: Readonly<Record<string, string>>) {
    const { parameters, verifier } = directRequest(server(), as, { scope: 'openid api:read', ...changes });
    const { body } = await challenge(server(), as, { ...parameters, ...typed(user) });
    const query = new URLSearchParams({ code: String(body['authorization_code']), iss: server().issuer });
    return { arrival: new URL(`${REDIRECT_URI}?${query.toString()}`), verifier };
  }

  for (const name of ['client_secret_basic', 'none'] as const) {
    it(`openid-client 6 exchanges it, checks the ID token, and refreshes (${name})`, async () => {
      const app = await server().client({ token_endpoint_auth_method: name, first_party: true, skip_consent: true });
      const authentication = name === 'none' ? client.None() : client.ClientSecretBasic(app.secret);
      const config = await client.discovery(new URL(server().issuer), app.id, undefined, authentication, {
        // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
        execute: [client.allowInsecureRequests],
      });
      expect(config.serverMetadata()['authorization_challenge_endpoint']).to.equal(`${server().issuer}/authorize-challenge`);
      const expectedNonce = client.randomNonce();
      const { arrival, verifier: pkceCodeVerifier } = await arrivalOf(app, { nonce: expectedNonce });
      const tokens = await client.authorizationCodeGrant(config, arrival, { pkceCodeVerifier, expectedNonce });
      expect(tokens.claims()).to.include({ sub: user.id, nonce: expectedNonce });
      const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
      expect(refreshed.claims()).to.include({ sub: user.id });
      const about = await client.fetchUserInfo(config, refreshed.access_token, user.id);
      expect(about.sub).to.equal(user.id);
    });
  }

  it('oauth4webapi 3 exchanges it, which takes nothing but what the specifications say', async () => {
    const app = await server().client({ first_party: true, skip_consent: true, id_token_signed_response_alg: 'ES256' });
    const issuer = new URL(server().issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, INSECURE));
    const self: oauth.Client = { client_id: app.id, id_token_signed_response_alg: 'ES256' };
    const { arrival, verifier } = await arrivalOf(app, {});
    const parameters = oauth.validateAuthResponse(as, self, arrival);
    const authentication = oauth.ClientSecretBasic(app.secret);
    const response = await oauth.authorizationCodeGrantRequest(as, self, authentication, parameters, REDIRECT_URI, verifier, INSECURE);
    const tokens = await oauth.processAuthorizationCodeResponse(as, self, response, { requireIdToken: true });
    expect(oauth.getValidatedIdTokenClaims(tokens)).to.include({ sub: user.id });
  });
});
