import { expect } from 'chai';
import * as client from 'openid-client';
import type { Arrival, Browser } from '../support/browser.ts';
import { browser } from '../support/browser.ts';
import { authenticatorFor, ONE_FACTOR, TWO_FACTORS } from '../support/second-factor.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestUser } from '../support/test-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

describe('openid-client 6 steps a login up (RFC 9470)', () => {
  const server = suiteServer();
  let config: client.Configuration;
  let user: TestUser;
  before(async () => {
    const { id, secret } = await server().client({ skip_consent: true, scope: 'openid' });
    config = await client.discovery(new URL(server().issuer), id, { require_auth_time: true }, client.ClientSecretBasic(secret), {
      // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
      execute: [client.allowInsecureRequests],
    });
  });
  beforeEach(async () => {
    user = await server().user();
  });

  /** One login of the relying party: `pass` is what the user does. */
  async function logIn(
    tab: Browser,
    parameters: Readonly<Record<string, string>>,
    pass: (page: Arrival) => Promise<Arrival>,
  ): Promise<client.IDToken> {
    const checks = {
      pkceCodeVerifier: client.randomPKCECodeVerifier(),
      expectedState: client.randomState(),
      maxAge: 3600,
      idTokenExpected: true,
    };
    const url = client.buildAuthorizationUrl(config, {
      redirect_uri: REDIRECT_URI,
      scope: 'openid',
      state: checks.expectedState,
      max_age: String(checks.maxAge),
      code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
      code_challenge_method: 'S256',
      ...parameters,
    });
    const arrival = await pass(await tab.visit(url));
    const claims = (await client.authorizationCodeGrant(config, new URL(arrival.url), checks)).claims();
    if (claims === undefined) {
      throw new Error('no ID token');
    }
    return claims;
  }

  const asks = {
    acr_values: { acr_values: TWO_FACTORS },
    'an essential acr in claims': { claims: JSON.stringify({ id_token: { acr: { essential: true, values: [TWO_FACTORS] } } }) },
  };
  for (const [title, parameters] of Object.entries(asks)) {
    it(`with ${title}: from the password to a code, in one session`, async () => {
      const tab = browser(server());
      const low = await logIn(tab, {}, (page) => tab.submit(page, { username: user.username, password: user.password }));
      expect(low).to.deep.include({ acr: ONE_FACTOR, amr: ['pwd'] });
      server().clock.advance(5);
      const { code } = await authenticatorFor(server(), user);
      const high = await logIn(tab, parameters, (page) => tab.submit(page, { otp: code() }));
      expect(high).to.deep.include({ acr: TWO_FACTORS, amr: ['pwd', 'otp', 'mfa'], sub: low.sub, auth_time: Number(low.auth_time) + 5 });
    });
  }

  it('finds the classes in the metadata', () => {
    expect(config.serverMetadata().acr_values_supported).to.deep.equal([ONE_FACTOR, TWO_FACTORS]);
  });

  it('is told unmet_authentication_requirements where a class cannot be reached', async () => {
    const claims = JSON.stringify({ id_token: { acr: { essential: true, value: 'urn:example:gold' } } });
    const refusal: unknown = await logIn(browser(server()), { claims }, async (page) => page).catch((error: unknown) => error);
    expect(refusal).to.be.instanceOf(client.AuthorizationResponseError).and.include({ error: 'unmet_authentication_requirements' });
  });
});
