import { expect } from 'chai';
import * as client from 'openid-client';
import { browser, passPages } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestUser } from '../support/test-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

const SETUPS = [
  { title: 'the defaults', metadata: {} },
  { title: 'ES256', metadata: { id_token_signed_response_alg: 'ES256', userinfo_signed_response_alg: 'ES256' } },
  { title: 'EdDSA', metadata: { id_token_signed_response_alg: 'EdDSA', userinfo_signed_response_alg: 'EdDSA' } },
  { title: 'pairwise subjects', metadata: { subject_type: 'pairwise' } },
  { title: 'a public client', metadata: { token_endpoint_auth_method: 'none' } },
] as const;

describe('openid-client 6 as a relying party', () => {
  const server = suiteServer({ SIGNING_ALGS: 'ES256,RS256,EdDSA' });
  let user: TestUser;
  before(async () => {
    user = await server().user({ name: 'Ada Lovelace', email: 'ada@example.com' });
  });

  for (const { title, metadata } of SETUPS) {
    describe(`with ${title}`, () => {
      let config: client.Configuration;
      before(async () => {
        const { id, secret } = await server().client({ skip_consent: true, scope: 'openid profile email', ...metadata });
        const authentication = secret === '' ? client.None() : client.ClientSecretBasic(secret);
        const known = { ...metadata, require_auth_time: true };
        config = await client.discovery(new URL(server().issuer), id, known, authentication, {
          // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
          execute: [client.allowInsecureRequests],
        });
      });

      it('logs a user in, with nonce and max_age checked, and asks about the user', async () => {
        const checks = {
          pkceCodeVerifier: client.randomPKCECodeVerifier(),
          expectedState: client.randomState(),
          expectedNonce: client.randomNonce(),
          maxAge: 3600,
          idTokenExpected: true,
        };
        const url = client.buildAuthorizationUrl(config, {
          redirect_uri: REDIRECT_URI,
          scope: 'openid profile email',
          state: checks.expectedState,
          nonce: checks.expectedNonce,
          max_age: String(checks.maxAge),
          code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
          code_challenge_method: 'S256',
        });
        const tab = browser(server());
        const arrival = await passPages(tab, await tab.visit(url), user);
        // It verifies the signature too, where it is told to.
        client.enableNonRepudiationChecks(config);
        const tokens = await client.authorizationCodeGrant(config, new URL(arrival.url), checks);
        const sub = tokens.claims()?.sub ?? '';
        expect(sub === user.id).to.equal(!('subject_type' in metadata));
        const userinfo = await client.fetchUserInfo(config, tokens.access_token, sub);
        expect(userinfo).to.include({ sub, name: 'Ada Lovelace', email: 'ada@example.com' });
        const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
        expect(refreshed.claims()).to.include({ sub, auth_time: tokens.claims()?.auth_time });
      });
    });
  }

  it('refuses an ID token whose nonce is not the one it sent', async () => {
    const { id, secret } = await server().client({ skip_consent: true, scope: 'openid' });
    const config = await client.discovery(new URL(server().issuer), id, undefined, client.ClientSecretBasic(secret), {
      // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
      execute: [client.allowInsecureRequests],
    });
    const url = client.buildAuthorizationUrl(config, { redirect_uri: REDIRECT_URI, scope: 'openid', nonce: 'sent' });
    const verifier = client.randomPKCECodeVerifier();
    url.searchParams.set('code_challenge', await client.calculatePKCECodeChallenge(verifier));
    url.searchParams.set('code_challenge_method', 'S256');
    const tab = browser(server());
    const arrival = await passPages(tab, await tab.visit(url), user);
    const refusal: unknown = await client
      .authorizationCodeGrant(config, new URL(arrival.url), { pkceCodeVerifier: verifier, expectedNonce: 'expected' })
      .catch((error: unknown) => error);
    expect(refusal).to.have.nested.property('cause.message').that.contains('nonce');
  });
});
