import { expect } from 'chai';
import { answerOf, eventually, expectError, postForm } from '../support/answers.ts';
import type { Browser, TokenBody } from '../support/browser.ts';
import { authorize, browser, logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { basic, startTestServer } from '../support/test-server.ts';

const INACTIVE = { active: false };
const API = 'https://api.example/';
const FILES = 'https://files.example/v1';
const RESOURCE_SERVER = { grant_types: ['client_credentials'], redirect_uris: [], scope: '' };

onEachDatabase('introspection endpoint (RFC 7662)', (database) => {
  let server: TestServer;
  let user: TestUser;
  let tab: Browser;
  before(async () => {
    server = await startTestServer(await database.create());
    user = await server.user();
    tab = browser(server);
  });
  after(() => server.close());

  async function loggedIn(
    metadata: Readonly<Record<string, unknown>> = {},
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly client: TestClient; readonly tokens: TokenBody }> {
    const client = await server.client({ skip_consent: true, ...metadata });
    return { client, tokens: await logIn(server, client, user, parameters, tab) };
  }

  async function introspect(caller: TestClient, token: string, more: Readonly<Record<string, string>> = {}) {
    const { status, headers, body } = await answerOf(server.post('/introspect', { token, ...more }, caller));
    expect({ status, cache: headers.get('cache-control') }).to.deep.equal({ status: 200, cache: 'no-store' });
    return body;
  }

  async function expectInactive(caller: TestClient, ...tokens: readonly string[]): Promise<void> {
    for (const token of tokens) {
      expect(await introspect(caller, token), token).to.deep.equal(INACTIVE);
    }
  }

  it('tells about an access token what the token says', async () => {
    const { client, tokens } = await loggedIn({ access_token_claims: { tenant: 'acme' } });
    const now = server.clock.now();
    const { jti, auth_time: authTime, ...others } = await introspect(client, tokens.access_token);
    expect(others).to.deep.equal({
      active: true,
      token_type: 'Bearer',
      iss: server.issuer,
      sub: user.id,
      aud: server.issuer,
      client_id: client.id,
      scope: 'openid profile api:read api:write',
      iat: now,
      exp: now + 900,
      acr: 'urn:keyturn:acr:1fa',
      tenant: 'acme',
    });
    expect(jti).to.be.a('string');
    expect(authTime).to.be.a('number');
  });

  it('cannot be made to say active by a claim of the deployment', async () => {
    const { client, tokens } = await loggedIn({ access_token_claims: { active: 'maybe', token_type: 'x' } });
    expect(await introspect(client, tokens.access_token)).to.include({ active: true, token_type: 'Bearer' });
  });

  it('tells about a refresh token when it ends', async () => {
    const { client, tokens } = await loggedIn({ refresh_token_idle_ttl: 1000 }, { scope: 'api:read' });
    const now = server.clock.now();
    expect(await introspect(client, tokens.refresh_token)).to.deep.equal({
      active: true,
      iss: server.issuer,
      sub: user.id,
      client_id: client.id,
      scope: 'api:read',
      iat: now,
      exp: now + 1000,
    });
  });

  describe('inactive is', () => {
    it('what this server never made', async () => {
      const { client, tokens } = await loggedIn();
      const { code } = await authorize(server, client, user, {}, tab);
      const [header = '', payload = '', signature = ''] = tokens.access_token.split('.');
      const none = Buffer.from(JSON.stringify({ alg: 'none', typ: 'at+jwt' })).toString('base64url');
      await expectInactive(client, 'invented', 'a.b.c', '가', code, `${none}.${payload}.`, `${header}.${payload}.`);
      await expectInactive(client, `${header}.${payload}.${signature}.`, `${tokens.refresh_token}A`, `${tokens.access_token}=`);
    });

    it('an access token that has expired, to the second', async () => {
      const { client, tokens } = await loggedIn();
      server.clock.advance(899);
      expect(await introspect(client, tokens.access_token)).to.include({ active: true });
      server.clock.advance(1);
      await expectInactive(client, tokens.access_token);
    });

    it('a refresh token that has expired or been used', async () => {
      const { client, tokens } = await loggedIn({ refresh_token_idle_ttl: 1000 });
      const { body } = await refresh(server, client, tokens.refresh_token);
      await expectInactive(client, tokens.refresh_token);
      server.clock.advance(999);
      expect(await introspect(client, body.refresh_token)).to.include({ active: true });
      server.clock.advance(1);
      await expectInactive(client, body.refresh_token);
    });

    it('whatever came of a grant that was revoked', async () => {
      const { client, tokens } = await loggedIn();
      const [grant] = await server.repositories.grants.list({ clientId: client.id }, { limit: 1 });
      await server.repositories.grants.revoke(grant?.id ?? '', 'operator', server.clock.now());
      await expectInactive(client, tokens.access_token, tokens.refresh_token);
    });

    it('whatever a disabled user has, and stays so when the user comes back', async () => {
      const person = await server.user();
      const client = await server.client({ skip_consent: true });
      const tokens = await logIn(server, client, person);
      await server.repositories.users.disable(person.id, server.clock.now());
      await expectInactive(client, tokens.access_token, tokens.refresh_token);
      await server.repositories.users.enable(person.id, server.clock.now());
      await expectInactive(client, tokens.access_token, tokens.refresh_token);
    });

    it('whatever a client had that was deleted', async () => {
      const api = await server.client({ ...RESOURCE_SERVER, protected_resources: [API] });
      const { client, tokens } = await loggedIn({ allowed_resources: [API] });
      const { body } = await answerOf(server.post('/token', { grant_type: 'client_credentials' }, client));
      expect(await introspect(api, tokens.access_token)).to.include({ active: true });
      await server.repositories.clientStore.delete(client.id);
      await expectInactive(api, tokens.access_token);
      await eventually(() => expectInactive(api, String(body['access_token'])));
    });
  });

  describe('who may know (RFC 7662 section 2.1)', () => {
    it("the token's own client", async () => {
      const { client, tokens } = await loggedIn();
      expect(await introspect(client, tokens.access_token)).to.include({ active: true });
      expect(await introspect(client, tokens.refresh_token)).to.include({ active: true });
    });

    it('the server of a resource that the token is for, and of no other', async () => {
      const api = await server.client({ ...RESOURCE_SERVER, protected_resources: [API, 'https://api2.example/'] });
      const files = await server.client({ ...RESOURCE_SERVER, protected_resources: [FILES] });
      const { tokens } = await loggedIn({ allowed_resources: [API, FILES] }, { resource: API });
      expect(await introspect(api, tokens.access_token)).to.include({ active: true, aud: API });
      await expectInactive(files, tokens.access_token);
    });

    it('each of the servers, of a token that is for several', async () => {
      const api = await server.client({ ...RESOURCE_SERVER, protected_resources: [API] });
      const files = await server.client({ ...RESOURCE_SERVER, protected_resources: [FILES] });
      const client = await server.client({ allowed_resources: [API, FILES] });
      const form = `grant_type=client_credentials&resource=${API}&resource=${FILES}`;
      const { body } = await postForm(server, '/token', form, { authorization: basic(client) });
      for (const caller of [api, files]) {
        expect(await introspect(caller, String(body['access_token']))).to.deep.include({ active: true, aud: [API, FILES] });
      }
    });

    it('a client whose identifier is the audience', async () => {
      const resource = 'https://reports.example/api';
      const reports = await server.client({ ...RESOURCE_SERVER, client_id: resource });
      const { tokens } = await loggedIn({ allowed_resources: [resource] }, { resource });
      expect(await introspect(reports, tokens.access_token)).to.include({ active: true, aud: resource });
    });

    it('nobody else: a live token looks like none at all', async () => {
      const { tokens } = await loggedIn();
      const stranger = await server.client();
      await expectInactive(stranger, tokens.access_token, tokens.refresh_token, 'invented');
    });

    it('of a refresh token its client alone: a resource server never sees one', async () => {
      const api = await server.client({ ...RESOURCE_SERVER, protected_resources: [API] });
      const { tokens } = await loggedIn({ allowed_resources: [API] }, { resource: API });
      await expectInactive(api, tokens.refresh_token);
    });

    it('no public client, whose name is no authorization, not even of its own token', async () => {
      const { client, tokens } = await loggedIn({ token_endpoint_auth_method: 'none' });
      expectError(await answerOf(server.post('/introspect', { token: tokens.access_token }, client)), 'invalid_client', 401);
    });

    it('nobody without authentication', async () => {
      const { tokens } = await loggedIn();
      expectError(await answerOf(server.post('/introspect', { token: tokens.access_token })), 'invalid_client', 401);
      const bearer = { authorization: `Bearer ${tokens.access_token}` };
      expectError(await postForm(server, '/introspect', `token=${tokens.access_token}`, bearer), 'invalid_client', 401);
    });
  });

  it('does not need a hint, nor believe one', async () => {
    const { client, tokens } = await loggedIn();
    expect(await introspect(client, tokens.access_token, { token_type_hint: 'refresh_token' })).to.include({ active: true });
    expect(await introspect(client, tokens.refresh_token, { token_type_hint: 'access_token' })).to.include({ active: true });
  });

  it('needs a token, once and never in the URL', async () => {
    const client = await server.client();
    const headers = { authorization: basic(client) };
    expectError(await postForm(server, '/introspect', '', headers), 'invalid_request');
    expectError(await postForm(server, '/introspect', 'token=', headers), 'invalid_request');
    expectError(await postForm(server, '/introspect', 'token=a&token=b', headers), 'invalid_request');
    expectError(await postForm(server, '/introspect?token=a', '', headers), 'invalid_request');
  });

  it('answers GET with 405', async () => {
    const answer = await answerOf(server.get('/introspect'));
    expectError(answer, 'invalid_request', 405);
    expect(answer.headers.get('allow')).to.equal('POST');
  });
});
