import { expect } from 'chai';
import type { Answer } from '../support/answers.ts';
import { answerOf, expectError, readAccessToken } from '../support/answers.ts';
import { logIn } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient } from '../support/test-server.ts';

describe('refresh token protection (RFC 9700 section 4.14)', () => {
  const server = suiteServer();

  function refresh(client: TestClient, refreshToken: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return answerOf(server().post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken, ...more }, client));
  }

  it('a public client cannot be registered with refresh tokens that do not rotate', async () => {
    const outcome = await server()
      .client({ token_endpoint_auth_method: 'none', refresh_token_rotation: false })
      .catch((error: unknown) => error);
    expect(outcome).to.have.property('code', 'invalid_client_metadata');
  });

  describe('a token stolen from a public client', () => {
    it('ends the grant when the thief comes second', async () => {
      const client = await server().client({ token_endpoint_auth_method: 'none' });
      const { refresh_token } = await logIn(server(), client, await server().user());
      const owners = await refresh(client, refresh_token);
      server().clock.advance(11);
      expectError(await refresh(client, refresh_token), 'invalid_grant');
      expectError(await refresh(client, successor(owners)), 'invalid_grant');
      const [grant] = await server().repositories.grants.list({ clientId: client.id }, { limit: 1 });
      expect(grant?.revocationReason).to.equal('refresh_token_reuse');
    });

    it('ends the grant when the thief comes first, and the owner shows it', async () => {
      const client = await server().client({ token_endpoint_auth_method: 'none' });
      const { refresh_token } = await logIn(server(), client, await server().user());
      const thiefs = await refresh(client, refresh_token);
      const further = await refresh(client, successor(thiefs));
      expectError(await refresh(client, refresh_token), 'invalid_grant');
      expectError(await refresh(client, successor(further)), 'invalid_grant');
    });

    it('makes no second chain in the moments in which a retry is let through', async () => {
      const client = await server().client({ token_endpoint_auth_method: 'none' });
      const { refresh_token } = await logIn(server(), client, await server().user());
      const owners = await refresh(client, refresh_token);
      const thiefs = await refresh(client, refresh_token);
      expect(successor(thiefs)).to.equal(successor(owners));
      const next = await refresh(client, successor(owners));
      server().clock.advance(11);
      expectError(await refresh(client, successor(thiefs)), 'invalid_grant');
      expectError(await refresh(client, successor(next)), 'invalid_grant');
    });

    it('ends that grant and no other of the user', async () => {
      const client = await server().client({ token_endpoint_auth_method: 'none' });
      const user = await server().user();
      const [stolen, elsewhere] = [await logIn(server(), client, user), await logIn(server(), client, user)];
      await refresh(client, stolen.refresh_token);
      server().clock.advance(11);
      expectError(await refresh(client, stolen.refresh_token), 'invalid_grant');
      expect((await refresh(client, elsewhere.refresh_token)).status).to.equal(200);
    });
  });

  it('is bound to its client: another one gets nothing and burns nothing', async () => {
    const owner = await server().client();
    const { refresh_token } = await logIn(server(), owner, await server().user());
    for (const thief of [await server().client(), await server().client({ token_endpoint_auth_method: 'none' })]) {
      for (let attempt = 0; attempt < 3; attempt++) {
        expectError(await refresh(thief, refresh_token), 'invalid_grant');
      }
    }
    server().clock.advance(11);
    expect((await refresh(owner, refresh_token)).status).to.equal(200);
  });

  it('is bound to the scope and resources the user allowed', async () => {
    const [api, files] = ['https://api.example', 'https://files.example'];
    const client = await server().client({ allowed_resources: [api, files] });
    const { refresh_token } = await logIn(server(), client, await server().user(), { scope: 'openid api:read', resource: api });
    expectError(await refresh(client, refresh_token, { scope: 'openid api:read api:write' }), 'invalid_scope');
    expectError(await refresh(client, refresh_token, { resource: files }), 'invalid_target');
    const answer = await refresh(client, refresh_token);
    expect(answer.body['scope']).to.equal('openid api:read');
    expect((await readAccessToken(server(), answer.body['access_token'])).claims.aud).to.equal(api);
  });

  it('expires when it is not used', async () => {
    const client = await server().client();
    const { refresh_token, refresh_token_timeout = 0 } = await logIn(server(), client, await server().user());
    expect(refresh_token_timeout).to.equal(14 * 86_400);
    server().clock.advance(refresh_token_timeout);
    expectError(await refresh(client, refresh_token), 'invalid_grant');
  });

  it('ends when its user is disabled, and when its client is deleted', async () => {
    const client = await server().client();
    const user = await server().user();
    const tokens = await logIn(server(), client, user);
    await server().repositories.users.disable(user.id, server().clock.now());
    expectError(await refresh(client, tokens.refresh_token), 'invalid_grant');
    const gone = await server().client();
    const { refresh_token } = await logIn(server(), gone, await server().user());
    await server().repositories.clientStore.delete(gone.id);
    const refused = await refresh(gone, refresh_token);
    expect(refused.status).to.be.oneOf([400, 401]);
    expect(refused.body).not.to.have.property('access_token');
  });

  it('is not given to a client that is not registered for it, nor for client_credentials', async () => {
    const client = await server().client({ grant_types: ['authorization_code', 'client_credentials'] });
    expect(await logIn(server(), client, await server().user())).not.to.have.property('refresh_token');
    const own = await answerOf(server().post('/token', { grant_type: 'client_credentials' }, client));
    expect(own.status).to.equal(200);
    expect(own.body).not.to.have.property('refresh_token');
  });
});

const successor = ({ body }: Answer): string => String(body['refresh_token']);
