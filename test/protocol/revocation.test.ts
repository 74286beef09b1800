import { expect } from 'chai';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { answerOf, expectError, postForm } from '../support/answers.ts';
import type { Browser, TokenBody } from '../support/browser.ts';
import { authorize, browser, logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { basic, startTestServer } from '../support/test-server.ts';

const INACTIVE = { active: false };

onEachDatabase('revocation endpoint (RFC 7009)', (database) => {
  let location: DatabaseLocation;
  let server: TestServer;
  let user: TestUser;
  let tab: Browser;
  before(async () => {
    location = await database.create();
    server = await startTestServer(location);
    user = await server.user();
    tab = browser(server);
  });
  after(() => server.close());

  async function loggedIn(
    metadata: Readonly<Record<string, unknown>> = {},
  ): Promise<{ readonly client: TestClient; readonly tokens: TokenBody }> {
    const client = await server.client({ skip_consent: true, ...metadata });
    return { client, tokens: await logIn(server, client, user, {}, tab) };
  }

  const revoke = (client: TestClient, token: string, more: Readonly<Record<string, string>> = {}) =>
    answerOf(server.post('/revoke', { token, ...more }, client));
  const introspect = async (client: TestClient, token: string) => (await answerOf(server.post('/introspect', { token }, client))).body;

  async function succeeds(client: TestClient, token: string, more: Readonly<Record<string, string>> = {}): Promise<void> {
    const { status, headers, body } = await revoke(client, token, more);
    expect({ status, body }).to.deep.equal({ status: 200, body: {} });
    expect(headers.get('content-type')).to.equal('application/json');
    expect(headers.get('cache-control')).to.equal('no-store');
  }

  async function grantOf({ id: clientId }: TestClient) {
    const [grant] = await server.repositories.grants.list({ clientId }, { limit: 1 });
    return grant;
  }

  it('ends a refresh token, its grant, and every access token that came of it', async () => {
    const { client, tokens } = await loggedIn();
    const { body: second } = await refresh(server, client, tokens.refresh_token);
    await succeeds(client, second.refresh_token);
    expect(await grantOf(client)).to.include({ revokedAt: server.clock.now(), revocationReason: 'client_request' });
    for (const token of [tokens.access_token, second.access_token, second.refresh_token]) {
      expect(await introspect(client, token)).to.deep.equal(INACTIVE);
    }
    expect((await refresh(server, client, second.refresh_token)).body.error).to.equal('invalid_grant');
    expect(server.events.find(({ event, fields }) => event === 'grant_revoked' && fields['clientId'] === client.id)?.fields).to.include({
      reason: 'client_request',
    });
  });

  it('ends the grant by an older refresh token too: whoever gives it up wants none of it', async () => {
    const { client, tokens } = await loggedIn();
    const { body: second } = await refresh(server, client, tokens.refresh_token);
    server.clock.advance(3600);
    await succeeds(client, tokens.refresh_token);
    expect((await refresh(server, client, second.refresh_token)).body.error).to.equal('invalid_grant');
    expect((await grantOf(client))?.revocationReason).to.equal('client_request');
  });

  it('leaves other grants of the same client and user alone', async () => {
    const { client, tokens } = await loggedIn();
    const other = await logIn(server, client, user, {}, tab);
    await succeeds(client, tokens.refresh_token);
    expect((await refresh(server, client, other.refresh_token)).status).to.equal(200);
    expect(await introspect(client, other.access_token)).to.include({ active: true });
  });

  it('ends an access token, and its grant goes on', async () => {
    const { client, tokens } = await loggedIn();
    await succeeds(client, tokens.access_token);
    expect(await introspect(client, tokens.access_token)).to.deep.equal(INACTIVE);
    const { status, body } = await refresh(server, client, tokens.refresh_token);
    expect(status).to.equal(200);
    expect(await introspect(client, body.access_token)).to.include({ active: true });
  });

  it('ends an access token that belongs to no grant', async () => {
    const client = await server.client();
    const { body } = await answerOf(server.post('/token', { grant_type: 'client_credentials' }, client));
    const token = String(body['access_token']);
    expect(await introspect(client, token)).to.include({ active: true });
    await succeeds(client, token);
    expect(await introspect(client, token)).to.deep.equal(INACTIVE);
  });

  it('holds on another server with the same database, and after a restart', async () => {
    const keys = { KEYS_DIR: server.config.keysDirectory, ISSUER: server.issuer };
    const client = await server.client();
    const newToken = async () => {
      const { body } = await answerOf(server.post('/token', { grant_type: 'client_credentials' }, client));
      return String(body['access_token']);
    };
    const [revoked, live] = [await newToken(), await newToken()];
    const other = await startTestServer(location, keys);
    await succeeds(client, revoked);
    await expectThenClose(other, { client, revoked, live });
    await expectThenClose(await startTestServer(location, keys), { client, revoked, live });
  });

  async function expectThenClose(
    at: TestServer,
    { client, revoked, live }: { readonly client: TestClient; readonly revoked: string; readonly live: string },
  ): Promise<void> {
    at.clock.advance(server.clock.now() - at.clock.now());
    const ask = (token: string) => postForm({ issuer: at.url }, '/introspect', `token=${token}`, { authorization: basic(client) });
    const [ofRevoked, ofLive] = [await ask(revoked), await ask(live)];
    await at.close();
    expect(ofRevoked.body).to.deep.equal(INACTIVE);
    expect(ofLive.body).to.include({ active: true, client_id: client.id });
  }

  it('may be repeated: what is revoked counts as done (section 2.2)', async () => {
    const { client, tokens } = await loggedIn();
    for (const token of [tokens.access_token, tokens.access_token, tokens.refresh_token, tokens.refresh_token, tokens.access_token]) {
      await succeeds(client, token);
    }
    const revocations = server.events.filter(({ event, fields }) => event === 'grant_revoked' && fields['clientId'] === client.id);
    expect(revocations).to.have.length(1);
  });

  it('counts an unknown, expired or malformed token as done (section 2.2)', async () => {
    const { client, tokens } = await loggedIn();
    server.clock.advance(900);
    for (const token of ['invented', 'kt_rt_', 'a.b.c', tokens.access_token, `${tokens.refresh_token}A`, '가']) {
      await succeeds(client, token);
    }
    expect((await grantOf(client))?.revokedAt).to.equal(undefined);
  });

  it('finds the token whatever the hint says (section 2.1)', async () => {
    for (const [name, hint] of [
      ['access_token', 'refresh_token'],
      ['refresh_token', 'access_token'],
      ['access_token', 'something'],
    ] as const) {
      const { client, tokens } = await loggedIn();
      await succeeds(client, tokens[name], { token_type_hint: hint });
      expect(await introspect(client, tokens[name])).to.deep.equal(INACTIVE);
    }
  });

  it('is for public clients too', async () => {
    const { client, tokens } = await loggedIn({ token_endpoint_auth_method: 'none' });
    await succeeds(client, tokens.refresh_token);
    expect((await refresh(server, client, tokens.refresh_token)).body.error).to.equal('invalid_grant');
  });

  it("refuses another client's token, which stays good (section 2.1)", async () => {
    const { client, tokens } = await loggedIn();
    for (const other of [await server.client(), await server.client({ token_endpoint_auth_method: 'none' })]) {
      for (const token of [tokens.access_token, tokens.refresh_token]) {
        expectError(await revoke(other, token), 'invalid_grant');
      }
    }
    expect(await introspect(client, tokens.access_token)).to.include({ active: true });
    expect((await refresh(server, client, tokens.refresh_token)).status).to.equal(200);
  });

  it('takes no authorization code for a token', async () => {
    const client = await server.client({ skip_consent: true });
    const { code } = await authorize(server, client, user, {}, tab);
    await succeeds(client, code);
    expect((await grantOf(client))?.revokedAt).to.equal(undefined);
  });

  it('needs a token, once', async () => {
    const client = await server.client();
    expectError(await answerOf(server.post('/revoke', {}, client)), 'invalid_request');
    expectError(await revoke(client, ''), 'invalid_request');
  });

  it('answers GET with 405', async () => {
    const answer = await answerOf(server.get('/revoke'));
    expectError(answer, 'invalid_request', 405);
    expect(answer.headers.get('allow')).to.equal('POST, OPTIONS');
  });
});
