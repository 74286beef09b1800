import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { browser, passPages } from '../support/browser.ts';
import { registrationToken } from '../support/registration.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

const METADATA = {
  redirect_uris: [REDIRECT_URI],
  client_name: 'Registered by itself',
  grant_types: ['authorization_code', 'refresh_token'],
};

describe('openid-client 6, which registers itself (RFC 7591)', () => {
  const server = suiteServer({ FEATURES: 'dynamic-registration' });

  for (const [what, authentication, method] of [
    ['as a public client', () => client.None(), 'none'],
    ['with a secret', undefined, 'client_secret_post'],
  ] as const) {
    it(`${what}, logs a user in and refreshes`, async () => {
      const config = await client.dynamicClientRegistration(
        new URL(server().issuer),
        { ...METADATA, token_endpoint_auth_method: method },
        authentication?.(),
        // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
        { initialAccessToken: await registrationToken(server()), execute: [client.allowInsecureRequests] },
      );
      expect(config.clientMetadata()).to.include({ client_name: METADATA.client_name, token_endpoint_auth_method: method });
      const code_verifier = client.randomPKCECodeVerifier();
      const state = client.randomState();
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: REDIRECT_URI,
        scope: 'openid offline_access',
        state,
        code_challenge: await client.calculatePKCECodeChallenge(code_verifier),
        code_challenge_method: 'S256',
      });
      const tab = browser(server());
      const arrival = await passPages(tab, await tab.visit(url), await server().user());
      const tokens = await client.authorizationCodeGrant(config, arrival.url, { pkceCodeVerifier: code_verifier, expectedState: state });
      expect(tokens.claims()?.aud).to.equal(config.clientMetadata().client_id);
      expect((await client.refreshTokenGrant(config, tokens.refresh_token ?? '')).access_token).to.be.a('string');
    });
  }
});

describe('oauth4webapi 3, which registers itself (RFC 7591)', () => {
  const server = suiteServer({ FEATURES: 'dynamic-registration', REGISTRATION: 'open' });
  // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
  const INSECURE = { [oauth.allowInsecureRequests]: true };

  it('takes the answer, and understands a refusal', async () => {
    const issuer = new URL(server().issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE }));
    const registered = await oauth.processDynamicClientRegistrationResponse(
      await oauth.dynamicClientRegistrationRequest(as, METADATA, INSECURE),
    );
    expect(registered.client_id).to.be.a('string');
    expect(registered).to.include({ client_secret_expires_at: 0 });
    const refused = await oauth.dynamicClientRegistrationRequest(as, { ...METADATA, redirect_uris: ['http://app.example/'] }, INSECURE);
    const failure: unknown = await oauth.processDynamicClientRegistrationResponse(refused).catch((error: unknown) => error);
    expect(failure).to.be.instanceOf(oauth.ResponseBodyError).and.include({ error: 'invalid_redirect_uri' });
  });
});
