import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { openDatabase } from '../../src/storage/open-database.ts';
import type { Answer } from '../support/answers.ts';
import { answerOf, eventually, expectError, postForm, readAccessToken, readIdToken } from '../support/answers.ts';
import { clientKeyPair } from '../support/assertions.ts';
import { answerAt, push, requestObject, requestParameters } from '../support/authorization-requests.ts';
import type { Arrival } from '../support/browser.ts';
import { browser, codeRequest, passPages } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { basic, REDIRECT_URI, startTestServer } from '../support/test-server.ts';

const ORDERS = 'https://orders.example/';
const FILES = 'https://files.example/v1';
const PAY = 'urn:example:pay';
const PLAIN = 'https://plain.example/';
const EVERY = [ORDERS, FILES, PAY, PLAIN];
const SCOPE = 'openid profile orders:read orders:write files:read pay';

onEachDatabase('registered resources (RFC 8707)', (database) => {
  let server: TestServer;
  let service: TestClient;
  let user: TestUser;

  before(async () => {
    server = await startTestServer(await database.create());
    await server.resources.create({ resource: ORDERS, resource_name: 'Orders', scopes_supported: ['orders:read', 'orders:write'] });
    await server.resources.create({
      resource: FILES,
      resource_name: '파일 보관함',
      scopes_supported: ['files:read'],
      access_token_ttl: 120,
      access_token_signed_response_alg: 'RS256',
    });
    await server.resources.create({
      resource: PAY,
      scopes_supported: ['pay'],
      access_token_ttl: 3600,
      access_token_signed_response_alg: 'ES256',
    });
    service = await server.client({ grant_types: ['client_credentials'], redirect_uris: [], scope: SCOPE, allowed_resources: EVERY });
    user = await server.user();
  });
  after(() => server.close());

  function token(client: TestClient, grantType: string, resources: readonly string[], more: Readonly<Record<string, string>> = {}) {
    const form = new URLSearchParams({ grant_type: grantType, ...more });
    for (const resource of resources) {
      form.append('resource', resource);
    }
    return postForm(server, '/token', form.toString(), { authorization: basic(client) });
  }

  const ask = (resources: readonly string[], more?: Readonly<Record<string, string>>) =>
    token(service, 'client_credentials', resources, more);

  /** What the token says, which must be what the answer says. */
  async function read({ status, body }: Answer) {
    expect(status, JSON.stringify(body)).to.equal(200);
    const { header, claims } = await readAccessToken(server, body['access_token']);
    expect(claims['scope']).to.equal(body['scope']);
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).to.equal(body['expires_in']);
    return { alg: header.alg, aud: claims.aud, scope: claims['scope'], seconds: body['expires_in'] };
  }

  const given = async (client: TestClient, ...resources: readonly string[]) => read(await token(client, 'client_credentials', resources));

  function visit(client: TestClient, resources: readonly string[], more: Readonly<Record<string, string>> = {}) {
    const request = codeRequest(server, client, more);
    const named = resources.map((resource) => `&resource=${encodeURIComponent(resource)}`).join('');
    const tab = browser(server);
    const arrival = tab.visit(request.url + named, { 'accept-language': more['ui_locales'] ?? 'en' });
    return { request, tab, arrival };
  }

  /** The page that asks for consent. */
  async function consent(client: TestClient, resources: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Arrival> {
    const { tab, arrival } = visit(client, resources, more);
    return tab.submit(await arrival, { username: user.username, password: user.password });
  }

  async function codeFor(client: TestClient, resources: readonly string[], scope: string): Promise<Readonly<Record<string, string>>> {
    const { request, tab, arrival } = visit(client, resources, { scope });
    const { url } = await passPages(tab, await arrival, user);
    return { code: url.searchParams.get('code') ?? '', code_verifier: request.verifier, redirect_uri: REDIRECT_URI };
  }

  const webClient = (more: Readonly<Record<string, unknown>> = {}) => server.client({ scope: SCOPE, allowed_resources: EVERY, ...more });

  describe('scope (section 2.2)', () => {
    it('of a token is what its resource knows, and the answer says so', async () => {
      expect(await read(await ask([ORDERS]))).to.include({ aud: ORDERS, scope: 'orders:read orders:write' });
      expect(await read(await ask([FILES]))).to.include({ aud: FILES, scope: 'files:read' });
      expect(await read(await ask([ORDERS], { scope: 'files:read orders:read' }))).to.include({ scope: 'orders:read' });
    });

    it('of a token for the default resource is what that knows', async () => {
      expect(await read(await ask([]))).to.include({ aud: ORDERS, scope: 'orders:read orders:write' });
    });

    it('of a token for several is what any of them knows', async () => {
      const several = await read(await ask([ORDERS, FILES], { scope: 'pay files:read orders:read' }));
      expect(several).to.deep.include({ aud: [ORDERS, FILES], scope: 'files:read orders:read' });
    });

    it('is not narrowed for an indicator that is not registered', async () => {
      expect(await read(await ask([PLAIN]))).to.include({ aud: PLAIN, scope: 'orders:read orders:write files:read pay' });
    });

    it('of which nothing is left is refused', async () => {
      expectError(await ask([ORDERS], { scope: 'files:read' }), 'invalid_scope');
      expectError(await ask([], { scope: 'files:read' }), 'invalid_scope');
    });
  });

  describe('lifetime', () => {
    it('is the shortest of those that are registered; the setting where nobody is', async () => {
      const brief = await server.client({
        grant_types: ['client_credentials'],
        redirect_uris: [],
        scope: 'files:read pay',
        allowed_resources: EVERY,
        access_token_ttl: 600,
      });
      expect(await given(service, FILES)).to.include({ seconds: 120 });
      expect(await given(service, PAY), 'longer than the setting').to.include({ seconds: 3600 });
      expect(await given(service, ORDERS)).to.include({ seconds: 900 });
      expect(await given(service, ORDERS, PAY), 'the other one says nothing').to.include({ seconds: 900 });
      expect(await given(brief, FILES)).to.include({ seconds: 120 });
      expect(await given(brief, PAY)).to.include({ seconds: 600 });
      expect(await given(brief, PAY, PLAIN)).to.include({ seconds: 600 });
    });
  });

  describe('signing algorithm', () => {
    it('is the resource’s before the client’s, the client’s before the server’s', async () => {
      const client = await server.client({
        grant_types: ['client_credentials'],
        redirect_uris: [],
        scope: SCOPE,
        allowed_resources: EVERY,
        access_token_signed_response_alg: 'RS256',
      });
      expect(await given(service, ORDERS)).to.include({ alg: 'ES256' });
      expect(await given(service, FILES)).to.include({ alg: 'RS256' });
      expect(await given(service, ORDERS, FILES)).to.include({ alg: 'RS256' });
      expect(await given(client, ORDERS)).to.include({ alg: 'RS256' });
      expect(await given(client, PAY)).to.include({ alg: 'ES256' });
    });

    it('is one a token: resources that want different ones are not in it together', async () => {
      const answer = await ask([FILES, PAY]);
      expectError(answer, 'invalid_target');
      expect(answer.body['error_description']).to.match(/RS256, ES256.*one token each/);
    });
  });

  describe('a grant for several (section 2.2)', () => {
    it('gives a token for each, with the scope of each, and keeps what was granted', async () => {
      const client = await webClient();
      const form = await codeFor(client, [ORDERS, FILES], 'openid orders:read files:read pay');
      const first = await token(client, 'authorization_code', [ORDERS], form);
      expect(await read(first)).to.include({ aud: ORDERS, scope: 'orders:read' });
      const { header } = await readIdToken(server, client, first.body['id_token']);
      expect(header.typ).to.equal('JWT');
      const second = await token(client, 'refresh_token', [FILES], { refresh_token: String(first.body['refresh_token']) });
      expect(await read(second)).to.deep.include({ aud: FILES, scope: 'files:read', alg: 'RS256', seconds: 120 });
      const both = await token(client, 'refresh_token', [], { refresh_token: String(second.body['refresh_token']) });
      expect(await read(both)).to.deep.include({ aud: [ORDERS, FILES], scope: 'orders:read files:read' });
      expectError(await token(client, 'refresh_token', [PAY], { refresh_token: String(both.body['refresh_token']) }), 'invalid_target');
    });

    it('that cannot be in one token are refused together, and neither code nor refresh token is used up', async () => {
      const client = await webClient();
      const form = await codeFor(client, [FILES, PAY], 'files:read pay');
      expectError(await token(client, 'authorization_code', [], form), 'invalid_target');
      const first = await token(client, 'authorization_code', [PAY], form);
      expect(await read(first)).to.include({ aud: PAY, scope: 'pay', alg: 'ES256' });
      const refreshToken = { refresh_token: String(first.body['refresh_token']) };
      const [before] = await server.repositories.grants.list({ clientId: client.id }, { limit: 1 });
      expectError(await token(client, 'refresh_token', [], refreshToken), 'invalid_target');
      expectError(await token(client, 'refresh_token', [FILES], { ...refreshToken, scope: 'pay' }), 'invalid_scope');
      expect(await server.repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([before]);
      expect(await read(await token(client, 'refresh_token', [FILES], refreshToken))).to.include({ aud: FILES, scope: 'files:read' });
    });
  });

  describe('a login', () => {
    it('that names no resource and asks for nothing of the default one is about the user: its token is for userinfo', async () => {
      const client = await webClient();
      const { body } = await token(client, 'authorization_code', [], await codeFor(client, [], 'openid profile'));
      expect((await readAccessToken(server, body['access_token'])).claims).to.include({ aud: server.issuer, scope: 'openid profile' });
      const { status } = await server.get('/userinfo', { authorization: `Bearer ${String(body['access_token'])}` });
      expect(status).to.equal(200);
    });

    it('with a resource that does not know openid has an ID token, and an access token that is of no use at userinfo', async () => {
      const client = await webClient();
      const { body } = await token(client, 'authorization_code', [], await codeFor(client, [ORDERS], 'openid profile orders:read'));
      expect(await readIdToken(server, client, body['id_token'])).to.have.nested.property('claims.sub');
      const { status } = await server.get('/userinfo', { authorization: `Bearer ${String(body['access_token'])}` });
      expect(status).to.equal(403);
    });
  });

  describe('at the authorization endpoint', () => {
    it('a scope of which no token could carry anything is refused before anybody logs in, pushed or not, signed or not', async () => {
      const pair = clientKeyPair('ES256');
      const client = await webClient({ jwks: { keys: [pair.jwk] } });
      const wrong = { scope: 'openid files:read', resource: ORDERS };
      const plain = await browser(server).visit(codeRequest(server, client, wrong).url);
      expect(answerAt(plain)).to.include({ error: 'invalid_scope', iss: server.issuer });
      const { parameters } = requestParameters(server, client, wrong);
      expectError(await push(server, client, parameters), 'invalid_scope');
      const object = await requestObject(server, client, pair, { ...parameters, resource: [ORDERS] });
      const signed = await browser(server).visit(`${server.issuer}/authorize?client_id=${client.id}&request=${object}`);
      expect(answerAt(signed)).to.include({ error: 'invalid_scope' });
      const good = await requestObject(server, client, pair, { ...parameters, resource: [ORDERS, FILES] });
      expect((await browser(server).visit(`${server.issuer}/authorize?client_id=${client.id}&request=${good}`)).html).to.include(
        'password',
      );
    });

    it('the user is told the names of the resources, and asked for nothing that these do not know', async () => {
      const client = await webClient();
      const scope = 'openid orders:read pay';
      const { html } = await consent(client, [ORDERS, PLAIN, FILES], { scope: `${scope} files:read` });
      expect(html).to.include('<bdi>Orders</bdi>').and.to.include(ORDERS).and.to.include(PLAIN).and.to.include('<bdi>파일 보관함</bdi>');
      const narrow = await consent(client, [ORDERS], { scope, ui_locales: 'ko' });
      expect(narrow.html).to.include('접근 대상').and.to.include('<bdi>Orders</bdi>').and.to.include('orders:read');
      expect(narrow.html).not.to.match(/>pay</);
    });

    it('the grant holds what was asked of the user and no more', async () => {
      const client = await webClient();
      await codeFor(client, [ORDERS], 'openid orders:read pay');
      const [grant] = await server.repositories.grants.list({ clientId: client.id }, { limit: 2 });
      expect(grant).to.deep.include({ scope: ['openid', 'orders:read'], resources: [ORDERS] });
    });
  });

  describe('introspection (RFC 7662)', () => {
    it('tells the server of the resource, and no other, of its token', async () => {
      const server_ = { grant_types: ['client_credentials'], redirect_uris: [], scope: '' };
      const [orders, files] = [
        await server.client({ ...server_, protected_resources: [ORDERS] }),
        await server.client({ ...server_, protected_resources: [FILES] }),
      ];
      const { body } = await ask([ORDERS]);
      const form = { token: String(body['access_token']) };
      const known = await answerOf(server.post('/introspect', form, orders));
      expect(known.body).to.include({ active: true, aud: ORDERS, scope: 'orders:read orders:write' });
      expect((await answerOf(server.post('/introspect', form, files))).body).to.deep.equal({ active: false });
    });
  });

  describe('a change of a resource', () => {
    const CHANGING = 'https://changing.example/';

    it('is seen without a restart, and narrows the tokens of grants that were made before', async () => {
      const client = await server.client({ scope: 'a b', allowed_resources: [CHANGING] });
      const { body: first } = await token(client, 'authorization_code', [], await codeFor(client, [CHANGING], 'a b'));
      expect(first['scope']).to.equal('a b');
      await server.resources.create({ resource: CHANGING, scopes_supported: ['a', 'c'] });
      let refreshToken = String(first['refresh_token']);
      await eventually(async () => {
        const { body } = await token(client, 'refresh_token', [], { refresh_token: refreshToken });
        refreshToken = String(body['refresh_token']);
        expect(body['scope']).to.equal('a');
      });
      // Nothing is left of what was granted: refused, and the refresh token is good again as soon as something is.
      await server.resources.update(CHANGING, { scopes_supported: ['c'] });
      await eventually(async () => {
        const answer = await token(client, 'refresh_token', [], { refresh_token: refreshToken });
        if (answer.status === 200) {
          refreshToken = String(answer.body['refresh_token']);
        }
        expectError(answer, 'invalid_scope');
      });
      server.clock.advance(60);
      expect(await server.repositories.resourceStore.delete(CHANGING)).to.equal(true);
      await eventually(async () => {
        const { status, body } = await token(client, 'refresh_token', [], { refresh_token: refreshToken });
        expect([status, body['scope']]).to.deep.equal([200, 'a b']);
      });
    });
  });

  it('a resource that comes to know more while the consent page is open: the user is asked again, about all of it', async () => {
    const resource = 'https://growing.example/';
    await server.resources.create({ resource, scopes_supported: ['a'] });
    const client = await server.client({ scope: 'a b', allowed_resources: [resource] });
    const probe = await server.client({
      grant_types: ['client_credentials'],
      redirect_uris: [],
      scope: 'b',
      allowed_resources: [resource],
    });
    const { tab, arrival } = visit(client, [resource], {});
    const login = await arrival;
    await eventually(async () => expectError(await token(probe, 'client_credentials', []), 'invalid_scope'));
    const page = await tab.submit(login, { username: user.username, password: user.password });
    expect(page.html).to.match(/>a</).and.not.to.match(/>b</);
    await server.resources.update(resource, { scopes_supported: ['a', 'b'] });
    await eventually(async () => {
      expect(await given(probe)).to.include({ scope: 'b' });
    });
    const again = await tab.submit(page, { decision: 'allow' });
    expect(again.html).to.match(/>a</).and.to.match(/>b</);
    expect(await server.repositories.grants.list({ clientId: client.id }, { limit: 1 })).to.deep.equal([]);
    expect((await tab.submit(again, { decision: 'allow' })).url.searchParams.has('code')).to.equal(true);
  });

  it('are in memory: a token for one reads no database', async () => {
    const location = await database.create();
    const other = await startTestServer(location);
    const tables = await openDatabase(location);
    try {
      await other.resources.create({ resource: ORDERS, scopes_supported: ['api:read'] });
      const client = await other.client({ grant_types: ['client_credentials'], redirect_uris: [], allowed_resources: [ORDERS, PLAIN] });
      const scopeOf = async () => (await answerOf(other.post('/token', { grant_type: 'client_credentials' }, client))).body['scope'];
      expect(await scopeOf()).to.equal('api:read');
      // The first look for changes drops what is in memory, whether or not there is one: that must be over.
      await other.resources.update(ORDERS, { scopes_supported: ['api:write'] });
      await eventually(async () => {
        expect(await scopeOf()).to.equal('api:write');
      });
      // Past the moment in which PostgreSQL tells the server that something changed, and what is in memory is dropped.
      await pause(300);
      await scopeOf();
      await tables.rows('ALTER TABLE resources RENAME TO resources_away', []);
      await tables.rows('ALTER TABLE clients RENAME TO clients_away', []);
      expect(await scopeOf()).to.equal('api:write');
    } finally {
      await tables.close();
      await other.close();
    }
  });
});
