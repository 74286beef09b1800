import { expect } from 'chai';
import { decodeJwt } from 'jose';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { answerOf, expectError } from '../support/answers.ts';
import { assertionClaims, assertionForm, clientKeyPair, signAssertion } from '../support/assertions.ts';
import { byReference, push, requestParameters } from '../support/authorization-requests.ts';
import { type Arrival, authorize, browser, codeRequest, logIn, passPages, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { DOCUMENTS_ON, type DocumentServer, startDocumentServer } from '../support/document-client.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';

const MCP = 'https://mcp.example/';

const headingOf = ({ html }: Arrival) => (/<h1>([\s\S]*?)<\/h1>/.exec(html)?.[1] ?? '').replaceAll(/<[^>]+>/g, '');

onEachDatabase('clients that a document of their own describes (draft-ietf-oauth-client-id-metadata-document)', (database) => {
  let documents: DocumentServer;
  let location: DatabaseLocation;
  let settings: Readonly<Record<string, string>>;
  let server: TestServer;
  let user: TestUser;
  before(async () => {
    documents = await startDocumentServer();
    location = await database.create();
    settings = { ...DOCUMENTS_ON, KEYS_DIR: await temporaryFolder() };
    server = await startTestServer(location, settings);
    user = await server.user();
  });
  after(async () => {
    await server.close();
    await documents.close();
  });

  const stored = (client: TestClient) => server.repositories.clientStore.find(client.id);
  const ask = (client: TestClient, parameters: Readonly<Record<string, string | undefined>> = {}) =>
    browser(server).visit(codeRequest(server, client, parameters).url);

  /** As far as the consent page, whose user has just logged in. */
  async function asked(client: TestClient, parameters: Readonly<Record<string, string | undefined>> = {}, tab = browser(server)) {
    const page = await tab.visit(codeRequest(server, client, parameters).url);
    return page.html.includes('name="password"') ? tab.submit(page, { username: user.username, password: user.password }) : page;
  }

  describe('the authorization server', () => {
    it('says that it supports them (section 6)', async () => {
      for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
        expect((await answerOf(server.get(path))).body).to.include({ client_id_metadata_document_supported: true });
      }
    });

    it('gives them tokens and refreshes them, after one look at the document', async () => {
      const client = documents.client();
      const tokens = await logIn(server, client, user, { scope: 'openid api:read' });
      expect(tokens).to.include({ token_type: 'Bearer', scope: 'openid api:read' });
      expect(decodeJwt(tokens.access_token)).to.include({ client_id: client.id, sub: user.id });
      expect(decodeJwt(tokens.id_token ?? '')).to.include({ aud: client.id });
      const { body } = await refresh(server, client, tokens.refresh_token);
      expect(body.access_token).to.be.a('string');
      expect(documents.asked(client)).to.equal(1);
    });

    it('asks for JSON, and takes any type of JSON (section 4)', async () => {
      for (const type of ['application/json', 'application/json; charset=utf-8', 'application/cimd+json', 'application/ld+json']) {
        const client = documents.client({}, { 'content-type': type });
        expect((await asked(client)).html, type).to.include('name="decision"');
      }
      const client = documents.client();
      let accepted: string | undefined;
      documents.serve(client, (request, response) => {
        accepted = request.headers.accept;
        response.end();
      });
      await ask(client);
      expect(accepted).to.equal('application/cimd+json, application/json');
    });

    for (const status of [201, 203, 204, 206, 301, 302, 304, 307, 308, 400, 404, 500]) {
      it(`takes no answer but 200 for a document: ${status} (section 5)`, async () => {
        const client = documents.client();
        const elsewhere = documents.client();
        documents.serve(client, (_, response) => {
          response.writeHead(status, { 'content-type': 'application/json', location: elsewhere.id });
          response.end([204, 304].includes(status) ? undefined : JSON.stringify({ client_id: client.id }));
        });
        const page = await ask(client);
        expect(page.status).to.equal(400);
        expect(page.html).to.include('could not be fetched');
        expect(documents.asked(elsewhere)).to.equal(0);
      });
    }

    it('says what is wrong with a document, on a page and nowhere else (section 5.1)', async () => {
      const client = documents.client({ client_id: 'https://other.example/client.json' });
      const page = await ask(client);
      expect(page.status).to.equal(400);
      expect(page.html).to.include('client_id: must be the address of the document');
      expect(server.events.at(-1)).to.deep.include({ event: 'client_document_refused' });
      expectError(await answerOf(server.post('/token', { grant_type: 'authorization_code', code: 'x' }, client)), 'invalid_client', 401);
    });

    it('compares redirect URIs with those of the document, exactly (section 4.2)', async () => {
      const client = documents.client({ redirect_uris: ['https://app.example/callback', 'http://127.0.0.1/cb', 'http://localhost/cb'] });
      for (const redirect_uri of [
        'https://app.example/callback/',
        'https://app.example/',
        'https://evil.example/callback',
        'http://127.0.0.2/cb',
      ]) {
        expect((await ask(client, { redirect_uri })).status, redirect_uri).to.equal(400);
      }
      for (const redirect_uri of ['http://127.0.0.1:49152/cb', 'http://localhost:49152/cb', 'http://localhost/cb']) {
        expect((await asked(client, { redirect_uri })).html, redirect_uri).to.include('name="decision"');
      }
      const withPort = documents.client({ redirect_uris: ['http://localhost:4000/cb'] });
      expect((await ask(withPort, { redirect_uri: 'http://localhost:4001/cb' })).status).to.equal(400);
      expect(
        (await ask(await server.client({ redirect_uris: ['http://localhost/cb'] }), { redirect_uri: 'http://localhost:1/cb' })).status,
      ).to.equal(400);
    });

    it('insists on PKCE', async () => {
      const arrival = await ask(documents.client(), { code_challenge: undefined, code_challenge_method: undefined });
      expect(arrival.url.searchParams.get('error')).to.equal('invalid_request');
    });

    it('gives tokens for the resources that the operator named for such clients, and for no other (RFC 8707)', async () => {
      const client = documents.client({ scope: 'api:read api:write', allowed_resources: ['https://api.example/'] });
      const tokens = await logIn(server, client, user, { scope: 'api:read', resource: MCP });
      expect(decodeJwt(tokens.access_token)).to.include({ aud: MCP, scope: 'api:read' });
      const other = await ask(client, { resource: 'https://api.example/' });
      expect(other.url.searchParams.get('error')).to.equal('invalid_target');
      expect((await ask(client, { scope: 'api:write' })).url.searchParams.get('error')).to.equal('invalid_scope');
    });
  });

  describe('what is kept of them', () => {
    it('is nothing when a user looks at the pages, and their record when one allows them something', async () => {
      const client = documents.client();
      const tab = browser(server);
      const consent = await asked(client, {}, tab);
      expect(consent.html).to.include('name="decision"');
      expect(await stored(client)).to.equal(undefined);
      await tab.submit(consent, { decision: 'deny' });
      expect(await stored(client)).to.equal(undefined);
      const grants = () => server.repositories.grants.list({ clientId: client.id }, { limit: 10 });
      await passPages(tab, await asked(client, {}, tab), user);
      const record = await stored(client);
      expect(record).to.deep.include({ id: client.id, secrets: [], version: 1 });
      expect(record?.document).to.have.keys('fetchedAt', 'freshUntil');
      expect(await grants()).to.have.length(1);
    });

    it('is for their document to change, and for an operator to delete', async () => {
      const client = documents.client();
      const tokens = await logIn(server, client, user);
      const update = server.registration.update(client.id, { redirect_uris: ['https://evil.example/'] });
      expect(await update.catch((error: unknown) => String(error))).to.match(/described by its document/);
      const creation = server.registration.create({ client_id: client.id, redirect_uris: ['https://app.example/'] });
      expect(await creation.catch((error: unknown) => String(error))).to.match(/is taken/);
      expect(await server.repositories.clientStore.delete(client.id)).to.equal(true);
      const refused = await refresh(server, client, tokens.refresh_token);
      expect(refused.body.error).to.match(/invalid_(?:grant|client)/);
    });

    it('lets tokens be revoked, asked about and used at userinfo as those of any client', async () => {
      const client = documents.client();
      const tokens = await logIn(server, client, user, { scope: 'openid profile' });
      const userinfo = await server.get('/userinfo', { authorization: `Bearer ${tokens.access_token}` });
      expect(await userinfo.json()).to.include({ sub: user.id });
      const api = await server.client({ grant_types: ['client_credentials'], redirect_uris: [], protected_resources: [MCP] });
      const introspected = async () => {
        const own = await logIn(server, client, user, { scope: 'api:read', resource: MCP });
        const before = await answerOf(server.post('/introspect', { token: own.access_token }, api));
        await server.post('/revoke', { token: own.refresh_token }, client);
        const after = await answerOf(server.post('/introspect', { token: own.access_token }, api));
        return [before.body, after.body];
      };
      const [before, after] = await introspected();
      expect(before).to.include({ active: true, client_id: client.id });
      expect(after).to.deep.equal({ active: false });
    });

    it('has them told of a logout at their own server (OpenID Connect Back-Channel Logout 1.0)', async () => {
      const client = documents.client({ backchannel_logout_uri: `${documents.url}/logged-out` });
      const told = new Promise<string>((resolve) => {
        documents.serve({ id: `${documents.url}/logged-out`, secret: '' }, (request, response) => {
          resolve(request.method ?? '');
          response.writeHead(200).end();
        });
      });
      const { tab } = await authorize(server, client, user, { scope: 'openid' });
      const question = await tab.visit('/logout');
      await tab.submit(question, {});
      expect(await told).to.equal('POST');
    });
  });

  describe('pushed requests (RFC 9126)', () => {
    it('are taken of a client that nobody has heard of, which is not stored for that', async () => {
      const client = documents.client();
      const { parameters, verifier } = requestParameters(server, client);
      const pushed = await push(server, client, parameters);
      expect(pushed.status).to.equal(201);
      expect(await stored(client)).to.equal(undefined);
      const tab = browser(server);
      const arrival = await passPages(tab, await tab.visit(byReference(server, client, pushed.requestUri)), user);
      const form = { grant_type: 'authorization_code', code: arrival.url.searchParams.get('code') ?? '', code_verifier: verifier };
      const { body } = await answerOf(server.post('/token', { ...form, redirect_uri: 'https://app.example/callback' }, client));
      expect(body).to.have.property('access_token');
    });

    it('are taken of one with a key, which proves itself here and at the token endpoint (section 8.2)', async () => {
      const pair = clientKeyPair('ES256');
      const client = documents.client({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [pair.jwk] } });
      const proof = async (by = pair) => assertionForm(await signAssertion(assertionClaims(server, client.id), by));
      const { parameters, verifier } = requestParameters(server, client);
      const forged = await answerOf(server.post('/par', { ...parameters, ...(await proof(clientKeyPair('ES256', pair.kid))) }));
      expectError(forged, 'invalid_client', 401);
      expectError(await answerOf(server.post('/par', parameters)), 'invalid_client', 401);
      const pushed = await answerOf(server.post('/par', { ...parameters, ...(await proof()) }));
      expect(pushed.status).to.equal(201);
      const tab = browser(server);
      const start = await tab.visit(byReference(server, client, String(pushed.body['request_uri'])));
      const arrival = await passPages(tab, start, user);
      const form = {
        grant_type: 'authorization_code',
        code: arrival.url.searchParams.get('code') ?? '',
        code_verifier: verifier,
        redirect_uri: 'https://app.example/callback',
      };
      expectError(await answerOf(server.post('/token', form, client)), 'invalid_client', 401);
      const tokens = await answerOf(server.post('/token', { ...form, ...(await proof()) }));
      expect(tokens.body).to.have.property('access_token');
    });

    it('are refused of a client whose document is wrong', async () => {
      const client = documents.client({ client_secret: 'x' });
      const { parameters } = requestParameters(server, client);
      expectError(await push(server, client, parameters), 'invalid_request');
    });
  });

  describe('the consent page (sections 8.5 and 8.8)', () => {
    it('calls a client by its host, says what it calls itself, and that nobody has checked it', async () => {
      const page = await asked(documents.client({ client_name: 'Your Bank', logo_uri: 'https://bank.example/logo.png' }));
      expect(headingOf(page)).to.equal(`${new URL(documents.url).host} asks for access to your account`);
      expect(page.html).to.include('was not checked here').and.to.include('Calls itself');
      expect(page.html).to.include('Your Bank').and.not.to.include('logo.png');
      const login = await ask(documents.client({ client_name: 'Your Bank' }));
      expect(login.html).to.include(new URL(documents.url).host).and.not.to.include('Your Bank');
    });

    it('says where the answer goes, and warns where that is another host or this device', async () => {
      const other = await asked(documents.client());
      expect(other.html).to.include('<bdi>app.example</bdi>').and.to.include('but to another address');
      const redirect_uri = 'http://localhost:8765/callback';
      const device = await asked(documents.client({ redirect_uris: [redirect_uri] }), { redirect_uri });
      expect(device.html).to.include('this device (localhost)').and.to.include('any program on it could pose as');
    });

    it('is shown again to those who allowed it once the client describes itself otherwise, and else not', async () => {
      const client = documents.client();
      const pair = clientKeyPair('ES256');
      const { tab } = await authorize(server, client, user);
      const isAsked = async () => {
        server.clock.advance(301);
        return (await asked(client, {}, tab)).html.includes('name="decision"');
      };
      expect(await isAsked()).to.equal(false);
      documents.change(client, { jwks: { keys: [pair.jwk] } });
      expect(await isAsked()).to.equal(false);
      for (const members of [
        { client_name: 'Another' },
        { redirect_uris: ['https://app.example/callback', 'https://evil.example/'] },
        { policy_uri: 'https://evil.example/' },
        { token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [pair.jwk] } },
      ]) {
        documents.change(client, members);
        expect(await isAsked(), Object.keys(members).join(' ')).to.equal(true);
      }
    });

    it('is not what the user answers, once the client describes itself otherwise than it said there', async () => {
      const client = documents.client();
      const tab = browser(server);
      const page = await asked(client, {}, tab);
      documents.change(client, { client_name: 'Another' });
      server.clock.advance(301);
      const again = await tab.submit(page, { decision: 'allow' });
      expect(again.html).to.include('name="decision"').and.to.include('Another');
      expect((await tab.submit(again, { decision: 'allow' })).url.searchParams.get('code')).to.be.a('string');
    });

    it('is not passed over for a program on a device, nor because a document says so', async () => {
      const redirect_uri = 'http://127.0.0.1/callback';
      const client = documents.client({ redirect_uris: [redirect_uri], skip_consent: true });
      const { tab } = await authorize(server, client, user, { redirect_uri });
      expect((await asked(client, { redirect_uri }, tab)).html).to.include('name="decision"');
      const silent = await tab.visit(codeRequest(server, client, { redirect_uri, prompt: 'none', scope: 'openid' }).url);
      expect(silent.url.searchParams.get('error')).to.equal('consent_required');
    });
  });

  describe('the cache (section 5.2)', () => {
    for (const [what, headers, fresh] of [
      ['for five minutes where nothing is said', {}, 300],
      ['for as long as it says', { 'cache-control': 'public, max-age=900' }, 900],
      ['for what a cache on the way has left of that', { 'cache-control': 'max-age=900', age: '500' }, 400],
      ['for a minute, though it says none', { 'cache-control': 'no-store' }, 60],
      ['for a day, though it says ten', { 'cache-control': 'max-age=864000' }, 86_400],
    ] as const) {
      it(`has a document ${what}`, async () => {
        const client = documents.client({}, headers);
        await ask(client);
        server.clock.advance(fresh - 1);
        await ask(client);
        expect(documents.asked(client)).to.equal(1);
        server.clock.advance(1);
        await ask(client);
        expect(documents.asked(client)).to.equal(2);
      });
    }

    it('has no error: a document that is mended counts some seconds later', async () => {
      const client = documents.client({ client_name: undefined });
      expect((await ask(client)).html).to.include('client_name');
      documents.change(client, {});
      expect((await ask(client)).status).to.equal(503);
      server.clock.advance(5);
      expect((await asked(client)).html).to.include('name="decision"');
    });

    it('ends a redirect URI that the document no longer has', async () => {
      const client = documents.client({ redirect_uris: ['https://app.example/callback', 'https://old.example/'] });
      await ask(client);
      documents.change(client, {});
      server.clock.advance(300);
      expect((await ask(client, { redirect_uri: 'https://old.example/' })).status).to.equal(400);
    });
  });

  describe('without their document', () => {
    it('refresh their tokens after a restart, and are allowed nothing new', async () => {
      const client = documents.client();
      const tokens = await logIn(server, client, user);
      documents.serve(client, (_, response) => response.writeHead(503).end());
      const { clock } = server;
      await server.close();
      server = await startTestServer(location, settings);
      server.clock.advance(clock.now() - server.clock.now() + 3600);
      const { body } = await refresh(server, client, tokens.refresh_token);
      expect(body.access_token).to.be.a('string');
      expect((await ask(client)).status).to.be.oneOf([400, 503]);
    });

    it('are unknown, and so are their tokens, while the feature is off or their host is not among those allowed', async () => {
      const client = documents.client();
      const tokens = await logIn(server, client, user);
      for (const more of [
        { FEATURES: '' },
        { CLIENT_ID_METADATA_HOSTS: 'app.example,*.127.0.0.1' },
        { OUTBOUND_PRIVATE_ADDRESSES: 'off' },
      ]) {
        const other = await startTestServer(location, { ...settings, ISSUER: server.issuer, ...more });
        try {
          const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token, client_id: client.id };
          const refused = await fetch(`${other.url}/token`, { method: 'POST', body: new URLSearchParams(form) });
          expect(await refused.json()).to.include({ error: 'invalid_client' });
          const page = await fetch(codeRequest({ issuer: other.url }, client).url);
          expect(await page.text()).to.include('names no client');
        } finally {
          await other.close();
        }
      }
      expect(documents.asked(client)).to.equal(1);
      const { body } = await refresh(server, client, tokens.refresh_token);
      expect(body.access_token).to.be.a('string');
    });

    it('are known where their host is allowed', async () => {
      const other = await startTestServer(location, { ...settings, CLIENT_ID_METADATA_HOSTS: 'app.example,127.0.0.1' });
      try {
        expect((await browser(other).visit(codeRequest(other, documents.client()).url)).html).to.include('name="password"');
      } finally {
        await other.close();
      }
    });
  });
});
