import { expect } from 'chai';
import { answerOf, expectError, readIdToken } from '../support/answers.ts';
import { assertionClaims, assertionForm, clientKeyPair, signAssertion } from '../support/assertions.ts';
import { byReference, requestObject, requestParameters } from '../support/authorization-requests.ts';
import { type Browser, browser, passPages } from '../support/browser.ts';
import { DOCUMENTS_ON, type DocumentServer, startDocumentServer } from '../support/document-client.ts';
import { postWithProof, proofFor, proofKey } from '../support/dpop.ts';
import { type LogoutReceiver, startLogoutReceiver } from '../support/logout-receiver.ts';
import { register, registrationToken } from '../support/registration.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI, type TestClient, type TestUser } from '../support/test-server.ts';
import { exchange, LEDGER, serviceWith } from '../support/token-exchange.ts';

const MCP = 'https://mcp.example/';
const SETTINGS = { ...DOCUMENTS_ON, FEATURES: 'client-id-metadata-documents,dynamic-registration' };

/** Everything at once: pushed, signed, bound to a key, authenticated by a key that is fetched, told of logouts. */
for (const by of ['a document', 'the registration endpoint']) {
  describe(`a client that came by ${by}, with all that it may use`, () => {
    const server = suiteServer(SETTINGS);
    const pair = clientKeyPair('ES256');
    let pages: DocumentServer;
    let receiver: LogoutReceiver;
    let client: TestClient;
    let user: TestUser;

    before(async () => {
      pages = await startDocumentServer();
      receiver = await startLogoutReceiver();
      const keys = { id: `${pages.url}/keys.json`, secret: '' };
      pages.serve(keys, (_, response) => {
        response.writeHead(200, { 'content-type': 'application/jwk-set+json' }).end(JSON.stringify({ keys: [pair.jwk] }));
      });
      const metadata = {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: keys.id,
        dpop_bound_access_tokens: true,
        require_pushed_authorization_requests: true,
        require_signed_request_object: true,
        revoke_grants_on_logout: true,
        scope: 'openid api:read',
      };
      client = by === 'a document' ? pages.client(metadata) : await registered(metadata);
      user = await server().user();
    });
    after(async () => {
      await pages.close();
      await receiver.close();
    });

    async function registered(metadata: Readonly<Record<string, unknown>>): Promise<TestClient> {
      const more = {
        client_name: 'Harbor Notes',
        redirect_uris: [REDIRECT_URI],
        grant_types: ['authorization_code', 'refresh_token'],
        backchannel_logout_uri: receiver.uri,
      };
      const { body } = await register(server(), { ...metadata, ...more }, await registrationToken(server()));
      return { id: String(body.client_id), secret: '' };
    }

    const proven = async () => assertionForm(await signAssertion(assertionClaims(server(), client.id), pair));

    /** Its whole way to tokens that are bound to `key`. */
    async function tokens(key: Awaited<ReturnType<typeof proofKey>>, tab: Browser = browser(server())) {
      const { parameters, verifier } = requestParameters(server(), client, { scope: 'openid api:read', resource: MCP });
      const request = await requestObject(server(), client, pair, parameters);
      const pushed = await answerOf(server().post('/par', { client_id: client.id, request, ...(await proven()) }));
      expect(pushed.status, JSON.stringify(pushed.body)).to.equal(201);
      const arrival = await passPages(tab, await tab.visit(byReference(server(), client, String(pushed.body['request_uri']))), user);
      const form = {
        grant_type: 'authorization_code',
        code: arrival.url.searchParams.get('code') ?? '',
        code_verifier: verifier,
        redirect_uri: REDIRECT_URI,
      };
      return postForm(form, key);
    }

    async function postForm(
      form: Readonly<Record<string, string>>,
      key: Awaited<ReturnType<typeof proofKey>> | undefined,
      path = '/token',
    ) {
      const proof = key && (await proofFor(server(), key, path));
      return postWithProof(server(), path, { ...form, ...(await proven()) }, client, proof);
    }

    it('has tokens for what it asked, refreshes them with its key alone, asks about them, and revokes them', async () => {
      const key = await proofKey();
      const { status, body } = await tokens(key);
      expect(status, JSON.stringify(body)).to.equal(200);
      expect(body).to.include({ token_type: 'DPoP', scope: 'openid api:read' });
      expect((await readIdToken(server(), client, body['id_token'])).claims).to.include({ sub: user.id });
      const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
      expectError(await postForm(refresh, undefined), 'invalid_dpop_proof');
      const refreshed = await postForm(refresh, key);
      expect(refreshed.body).to.include({ token_type: 'DPoP' });
      const next = { grant_type: 'refresh_token', refresh_token: String(refreshed.body['refresh_token']) };
      expectError(await answerOf(server().post('/token', next, client)), 'invalid_client', 401);
      const bound = await postForm({ token: String(refreshed.body['access_token']) }, undefined, '/introspect');
      expect(bound.body).to.include({ active: true, client_id: client.id }).and.have.property('cnf');
      expect((await postForm({ token: next.refresh_token }, undefined, '/revoke')).status).to.equal(200);
      expectError(await postForm(next, key), 'invalid_grant');
    });

    it('is let in by nothing less than it says', async () => {
      const { parameters } = requestParameters(server(), client, { scope: 'openid' });
      const tab = browser(server());
      const plain = await tab.visit(`${server().issuer}/authorize?${new URLSearchParams(parameters).toString()}`);
      expect(plain.url.searchParams.get('error')).to.equal('invalid_request');
      const unsigned = await answerOf(server().post('/par', { ...parameters, ...(await proven()) }));
      expectError(unsigned, 'invalid_request');
      const foreign = clientKeyPair('ES256', pair.kid);
      const request = await requestObject(server(), client, foreign, parameters);
      expectError(await answerOf(server().post('/par', { client_id: client.id, request, ...(await proven()) })), 'invalid_request_object');
    });

    it('has no grant type but those of a login', async () => {
      for (const form of [
        { grant_type: 'client_credentials', scope: 'api:read' },
        { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: 'x' },
        { grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange', subject_token: 'x', subject_token_type: 'x' },
      ]) {
        expectError(await postForm(form, await proofKey()), 'unauthorized_client');
      }
      expectError(await postForm({ scope: 'openid' }, undefined, '/device_authorization'), 'unauthorized_client');
    });

    it('has its tokens exchanged by the service that they are for, until its grant ends', async () => {
      const service = await server().client(serviceWith([{ resources: [LEDGER], scope: 'api:read' }], { protected_resources: [MCP] }));
      const { body } = await tokens(await proofKey());
      const given = await exchange(server(), service, String(body['access_token']), { scope: 'api:read' }, await proofKey());
      expect(given.body, JSON.stringify(given.body)).to.have.property('access_token');
      const exchanged = { token: String(given.body['access_token']) };
      expect((await answerOf(server().post('/introspect', exchanged, service))).body).to.include({ active: true });
      await postForm({ token: String(body['refresh_token']) }, undefined, '/revoke');
      expect((await answerOf(server().post('/introspect', exchanged, service))).body).to.deep.equal({ active: false });
    });

    it('is logged out with its user', async () => {
      const tab = browser(server());
      const key = await proofKey();
      const { body } = await tokens(key, tab);
      await tab.visit(`/logout?${new URLSearchParams({ id_token_hint: String(body['id_token']) }).toString()}`);
      expectError(await postForm({ grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) }, key), 'invalid_grant');
      if (by !== 'a document') {
        await receiver.times(1);
      }
    });
  });
}
