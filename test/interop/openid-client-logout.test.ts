import { expect } from 'chai';
import * as client from 'openid-client';
import { browser, logIn } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';

const AFTER = 'https://app.example/signed-out';

describe('openid-client 6: logout (OpenID Connect RP-Initiated Logout 1.0)', () => {
  const server = suiteServer();

  it('finds the endpoint, and the address it builds ends the session', async () => {
    const { id, secret } = await server().client({ skip_consent: true, post_logout_redirect_uris: [AFTER] });
    const config = await client.discovery(new URL(server().issuer), id, secret, undefined, {
      // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
      execute: [client.allowInsecureRequests],
    });
    const tab = browser(server());
    const tokens = await logIn(server(), { id, secret }, await server().user(), { scope: 'openid' }, tab);
    const { id_token } = tokens as typeof tokens & { readonly id_token: string };
    const url = client.buildEndSessionUrl(config, { id_token_hint: id_token, post_logout_redirect_uri: AFTER, state: 's' });
    expect(url.href).to.match(new RegExp(`^${server().issuer}/logout\\?`));
    expect((await tab.visit(url)).url.href).to.equal(`${AFTER}?state=s`);
    expect((await tab.visit('/logout')).html).to.include('You are signed out');
  });
});
