import { expect } from 'chai';
import { answerOf, expectError } from '../support/answers.ts';
import { authorize, logIn } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

describe('artefacts of one client in the hands of another (CVE-2026-16089, CVE-2026-55672)', () => {
  const server = suiteServer();
  let owner: TestClient;
  let others: readonly TestClient[];

  before(async () => {
    owner = await server().client();
    // The second has the same redirect URI, the third is public, the fourth is the server of the very API the tokens are for.
    others = [
      await server().client(),
      await server().client({ token_endpoint_auth_method: 'none' }),
      await server().client({
        grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
        protected_resources: [server().issuer],
      }),
    ];
  });

  it('a code gives nothing to another client, and stays good', async () => {
    const { code, verifier } = await authorize(server(), owner, await server().user());
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    for (const other of others) {
      expectError(await answerOf(server().post('/token', form, other)), 'invalid_grant');
    }
    expect((await server().post('/token', form, owner)).status).to.equal(200);
  });

  it('a spent code gives nothing to another client, and does not revoke what the owner has', async () => {
    const { code, verifier } = await authorize(server(), owner, await server().user());
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    const { body } = await answerOf(server().post('/token', form, owner));
    for (const other of others) {
      expectError(await answerOf(server().post('/token', form, other)), 'invalid_grant');
    }
    const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
    expect((await server().post('/token', refresh, owner)).status).to.equal(200);
  });

  it('a refresh token, live or used, gives nothing to another client and revokes nothing', async () => {
    const { refresh_token } = await logIn(server(), owner, await server().user());
    const { body } = await answerOf(server().post('/token', { grant_type: 'refresh_token', refresh_token }, owner));
    server().clock.advance(11);
    const live = String(body['refresh_token']);
    for (const other of others) {
      for (const token of [refresh_token, live]) {
        expectError(await answerOf(server().post('/token', { grant_type: 'refresh_token', refresh_token: token }, other)), 'invalid_grant');
      }
    }
    expect((await server().post('/token', { grant_type: 'refresh_token', refresh_token: live }, owner)).status).to.equal(200);
  });

  it('another client cannot revoke a token', async () => {
    const { access_token, refresh_token } = await logIn(server(), owner, await server().user());
    for (const other of others) {
      for (const token of [access_token, refresh_token]) {
        expectError(await answerOf(server().post('/revoke', { token }, other)), 'invalid_grant');
      }
    }
    for (const token of [access_token, refresh_token]) {
      expect((await answerOf(server().post('/introspect', { token }, owner))).body['active']).to.equal(true);
    }
  });

  it('another client learns nothing by introspection; the API a token is for learns of that token, and of no refresh token', async () => {
    const { access_token, refresh_token } = await logIn(server(), owner, await server().user());
    const [stranger, publicOne, api] = others;
    expect((await answerOf(server().post('/introspect', { token: access_token }, stranger))).body).to.deep.equal({ active: false });
    expect((await answerOf(server().post('/introspect', { token: refresh_token }, stranger))).body).to.deep.equal({ active: false });
    expectError(await answerOf(server().post('/introspect', { token: access_token }, publicOne)), 'invalid_client', 401);
    expect((await answerOf(server().post('/introspect', { token: access_token }, api))).body['active']).to.equal(true);
    expect((await answerOf(server().post('/introspect', { token: refresh_token }, api))).body).to.deep.equal({ active: false });
  });

  it('a client cannot speak for another by naming it beside its own authentication', async () => {
    const { refresh_token } = await logIn(server(), owner, await server().user());
    const form = { grant_type: 'refresh_token', refresh_token, client_id: owner.id };
    expectError(await answerOf(server().post('/token', form, others[0])), 'invalid_request');
    expect((await server().post('/token', form, owner)).status).to.equal(200);
  });
});
