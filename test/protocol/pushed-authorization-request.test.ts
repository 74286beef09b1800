import { expect } from 'chai';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { answerOf, expectError, postForm } from '../support/answers.ts';
import { assertionClaims, assertionForm, type Changes, keyClient, signAssertion } from '../support/assertions.ts';
import { byReference, push, type RequestParameters, requestParameters } from '../support/authorization-requests.ts';
import { type Arrival, browser, passPages } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type ProofKey, postWithProof, proofFor, proofKey, tokenRequest } from '../support/dpop.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { basic, REDIRECT_URI, startTestServer } from '../support/test-server.ts';

onEachDatabase('pushed authorization requests (RFC 9126)', (database) => {
  let location: DatabaseLocation;
  let server: TestServer;
  let user: TestUser;
  let client: TestClient;
  before(async () => {
    location = await database.create();
    server = await startTestServer(location);
    user = await server.user();
    client = await server.client();
  });
  after(() => server.close());

  async function pushed(changes: RequestParameters = {}, as: TestClient = client) {
    const request = requestParameters(server, as, changes);
    return { ...request, ...(await push(server, as, request.parameters)) };
  }

  /** How a browser that comes with the reference ends. */
  async function goOn(requestUri: string, as: TestClient = client, beside: Readonly<Record<string, string>> = {}): Promise<Arrival> {
    const tab = browser(server);
    return passPages(tab, await tab.visit(byReference(server, as, requestUri, beside)), user);
  }

  function expectPage(arrival: Arrival, error: string): void {
    expect(arrival.url.origin).to.equal(new URL(server.issuer).origin);
    expect(arrival.status).to.equal(400);
    expect(arrival.html).to.include(error);
  }

  async function rows(): Promise<readonly { readonly parameters: string; readonly used_at: number | null }[]> {
    const opened = await openDatabase(location);
    const found = await opened.rows<{ parameters: string; used_at: number | null }>('SELECT parameters, used_at FROM pushed_requests', []);
    await opened.close();
    return found;
  }

  async function grantsOf({ id: clientId }: TestClient): Promise<number> {
    return (await server.repositories.grants.list({ clientId }, { limit: 50 })).length;
  }

  async function pushedWith(key: ProofKey, changes: RequestParameters = {}, path = '/par') {
    const request = requestParameters(server, client, changes);
    const answer = await postWithProof(server, '/par', request.parameters, client, await proofFor(server, key, path));
    return { ...request, ...answer };
  }

  /** The status of a push by a client that authenticates with a JWT. */
  async function withAssertion(changes: Changes): Promise<number> {
    const { id, pair } = await keyClient(server);
    const assertion = await signAssertion(assertionClaims(server, id, changes), pair);
    return (await answerOf(server.post('/par', { ...requestParameters(server, { id }).parameters, ...assertionForm(assertion) }))).status;
  }

  describe('the endpoint (section 2)', () => {
    it('answers 201 with a reference that cannot be guessed, and how long it lives (section 2.2)', async () => {
      const { status, headers, body } = await pushed();
      expect(status).to.equal(201);
      expect(headers.get('content-type')).to.equal('application/json');
      expect(headers.get('cache-control')).to.equal('no-store');
      expect(body).to.have.all.keys('request_uri', 'expires_in').and.to.include({ expires_in: 60 });
      expect(body['request_uri']).to.match(/^urn:ietf:params:oauth:request_uri:[\w-]{60,}$/);
      expect((await pushed()).body['request_uri']).not.to.equal(body['request_uri']);
    });

    it('is in the metadata (section 5)', async () => {
      const { body } = await answerOf(server.get('/.well-known/oauth-authorization-server'));
      expect(body).to.include({ pushed_authorization_request_endpoint: `${server.issuer}/par` });
      expect(body).not.to.have.property('require_pushed_authorization_requests');
    });

    it('fapi2-security-profile-final-par-attempt-invalid-http-method: takes nothing but POST (section 2.3)', async () => {
      const response = await server.get('/par');
      expect([response.status, response.headers.get('allow')]).to.deep.equal([405, 'POST, OPTIONS']);
      await response.text();
    });

    it('authenticates the client as the token endpoint does (section 2.1)', async () => {
      const { parameters } = requestParameters(server, client);
      expectError(await push(server, { ...client, secret: 'x'.repeat(43) }, parameters), 'invalid_client', 401);
      expectError(await answerOf(server.post('/par', parameters)), 'invalid_client', 401);
      const other = await server.client();
      expectError(await push(server, other, parameters), 'invalid_request');
      const byPost = await server.client({ token_endpoint_auth_method: 'client_secret_post' });
      const form = { ...requestParameters(server, byPost).parameters, client_secret: byPost.secret };
      expect((await answerOf(server.post('/par', form))).status).to.equal(201);
    });

    it('does not need client_id beside an Authorization header', async () => {
      const { client_id: _, ...parameters } = requestParameters(server, client).parameters;
      const { status, requestUri } = await push(server, client, parameters);
      expect(status).to.equal(201);
      expect((await goOn(requestUri)).url.searchParams.has('code')).to.equal(true);
    });

    it('lets public clients push as well', async () => {
      const app = await server.client({ token_endpoint_auth_method: 'none' });
      const { status, requestUri, state } = await pushed({}, app);
      expect(status).to.equal(201);
      expect((await goOn(requestUri, app)).url.searchParams.get('state')).to.equal(state);
    });

    it('keeps nothing that authenticates', async () => {
      const byPost = await server.client({ token_endpoint_auth_method: 'client_secret_post' });
      const form = { ...requestParameters(server, byPost, { state: 'kept' }).parameters, client_secret: byPost.secret };
      await (await server.post('/par', form)).text();
      const kept = await rows();
      expect(kept.filter(({ parameters }) => parameters.includes('kept'))).to.have.length(1);
      expect(JSON.stringify(kept)).not.to.include(byPost.secret).and.not.to.include('client_secret');
    });

    const audiences: readonly (readonly [module: string, aud: (issuer: string) => unknown, succeeds: boolean])[] = [
      ['ensure-client-assertion-with-iss-aud-succeeds', (issuer) => issuer, true],
      ['par-test-array-as-audience-fails', (issuer) => [issuer, 'https://other.example'], false],
      ['par-test-par-endpoint-url-as-audience-fails', (issuer) => `${issuer}/par`, false],
      ['par-test-token-endpoint-url-as-audience-fails', (issuer) => `${issuer}/token`, false],
    ];
    for (const [module, aud, succeeds] of audiences) {
      it(`fapi2-security-profile-final-${module} (RFC 10070 section 4)`, async () => {
        expect(await withAssertion({ aud: aud(server.issuer) })).to.equal(succeeds ? 201 : 401);
      });
    }

    it('fapi2-security-profile-final-par-ensure-jwt-client-assertions-nbf-8-seconds-in-the-future-is-accepted', async () => {
      expect(await withAssertion({ nbf: server.clock.now() + 8 })).to.equal(201);
    });

    it('fapi2-security-profile-final-par-ensure-jwt-client-assertions-nbf-over-60-seconds-in-the-future-fails', async () => {
      expect(await withAssertion({ nbf: server.clock.now() + 61 })).to.equal(401);
    });

    it('fapi2-security-profile-final-par-authorization-request-containing-request_uri-form-param: refuses it (section 2.1)', async () => {
      const { requestUri } = await pushed();
      expectError(await push(server, client, { request_uri: requestUri }), 'invalid_request');
      const { parameters } = requestParameters(server, client);
      expectError(await push(server, client, { ...parameters, request_uri: 'https://app.example/request' }), 'invalid_request');
    });

    const refused: readonly (readonly [what: string, changes: RequestParameters, error: string])[] = [
      ['fapi2-security-profile-final-par-ensure-pkce-required', { code_challenge: undefined }, 'invalid_request'],
      ['fapi2-security-profile-final-par-plain-pkce-rejected', { code_challenge_method: 'plain' }, 'invalid_request'],
      ['fapi2-security-profile-final-ensure-response-type-token-fails', { response_type: 'token' }, 'unsupported_response_type'],
      [
        'fapi2-security-profile-final-ensure-response-type-code-idtoken-fails',
        { response_type: 'code id_token' },
        'unsupported_response_type',
      ],
      ['fapi2-security-profile-final-ensure-registered-redirect-uri', { redirect_uri: 'https://evil.example/callback' }, 'invalid_request'],
      ['a scope the client may not have', { scope: 'admin' }, 'invalid_scope'],
      ['a resource the client may not have', { resource: 'https://api.example' }, 'invalid_target'],
      ['a response_mode that there is not', { response_mode: 'pigeon' }, 'invalid_request'],
      ['a prompt none beside another', { prompt: 'none login' }, 'invalid_request'],
      ['a request that does not fit through a login', { state: 'x'.repeat(9000) }, 'invalid_request'],
    ];
    for (const [what, changes, error] of refused) {
      it(`refuses at once what would be refused later, and keeps nothing: ${what}`, async () => {
        const before = await rows();
        expectError(await pushed(changes), error);
        expect(await rows()).to.have.length(before.length);
      });
    }

    it('fapi2-security-profile-final-par-without-duplicate-parameters: refuses a parameter that comes twice', async () => {
      const { parameters } = requestParameters(server, client);
      const headers = { authorization: basic(client) };
      for (const name of ['scope', 'state', 'redirect_uri', 'client_id', 'request']) {
        const form = `${new URLSearchParams({ scope: 'openid', request: '', ...parameters }).toString()}&${name}=x`;
        expectError(await postForm(server, '/par', form, headers), 'invalid_request');
      }
    });

    it('takes all that happy-flow, ensure-authorization-request-with-64-char-nonce, -with-long-nonce and -with-long-state send', async () => {
      for (const changes of [{ nonce: 'n'.repeat(64) }, { nonce: 'n'.repeat(384) }, { state: 's'.repeat(384) }, { state: undefined }]) {
        const { status, requestUri } = await pushed({ scope: 'openid', ...changes });
        expect(status).to.equal(201);
        const { searchParams } = (await goOn(requestUri)).url;
        expect(searchParams.has('code')).to.equal(true);
        if ('state' in changes) {
          expect(searchParams.get('state')).to.equal(changes.state ?? null);
        }
      }
    });
  });

  describe('with a DPoP proof (RFC 9449 section 10.1)', () => {
    it('fapi2-security-profile-final-ensure-dpopproof-at-par-endpoint-binding-success: the code is for its key alone', async () => {
      const [key, other] = [await proofKey(), await proofKey()];
      const { body, verifier } = await pushedWith(key);
      const { searchParams } = (await goOn(String(body['request_uri']))).url;
      const form = {
        grant_type: 'authorization_code',
        code: searchParams.get('code') ?? '',
        code_verifier: verifier,
        redirect_uri: REDIRECT_URI,
      };
      for (const wrong of [undefined, other]) {
        const { status, body: refusal } = await tokenRequest(server, client, form, wrong);
        expect(status).to.equal(400);
        expect(refusal).not.to.have.property('access_token');
      }
      expect((await tokenRequest(server, client, form, key)).body).to.include({ token_type: 'DPoP' });
    });

    it('fapi2-security-profile-final-ensure-mismatched-dpop-jkt-fails: dpop_jkt must not name another key', async () => {
      const [key, other] = [await proofKey(), await proofKey()];
      expect((await pushedWith(key, { dpop_jkt: key.thumbprint })).status).to.equal(201);
      expectError(await pushedWith(key, { dpop_jkt: other.thumbprint }), 'invalid_dpop_proof');
    });

    it('refuses a proof that was made for another endpoint, and keeps nothing', async () => {
      const before = await rows();
      expectError(await pushedWith(await proofKey(), {}, '/token'), 'invalid_dpop_proof');
      expect(await rows()).to.have.length(before.length);
    });
  });

  describe('the authorization request (section 4)', () => {
    it('is what was pushed, to the code and its token', async () => {
      const { requestUri, verifier, state } = await pushed({ scope: 'api:read' });
      const { searchParams } = (await goOn(requestUri)).url;
      expect(Object.fromEntries(searchParams)).to.include({ state, iss: server.issuer });
      const form = {
        grant_type: 'authorization_code',
        code: searchParams.get('code') ?? '',
        code_verifier: verifier,
        redirect_uri: REDIRECT_URI,
      };
      const { status, body } = await answerOf(server.post('/token', form, client));
      expect({ status, scope: body['scope'] }).to.deep.equal({ status: 200, scope: 'api:read' });
    });

    it('ignores whatever the browser brings beside', async () => {
      const { requestUri, state } = await pushed({ scope: 'api:read' });
      const beside = {
        scope: 'api:write',
        state: 'forged',
        redirect_uri: 'https://evil.example',
        response_mode: 'fragment',
        prompt: 'none',
      };
      const { url } = await goOn(requestUri, client, beside);
      expect(url.origin + url.pathname).to.equal(REDIRECT_URI);
      expect(url.searchParams.get('state')).to.equal(state);
      const grants = await server.repositories.grants.list({ clientId: client.id }, { limit: 1 });
      expect(grants[0]?.scope).to.deep.equal(['api:read']);
    });

    it('can be sent by POST', async () => {
      const { requestUri, state } = await pushed();
      const response = await server.post('/authorize', { client_id: client.id, request_uri: requestUri });
      expect(response.status).to.equal(303);
      const tab = browser(server);
      const arrival = await passPages(tab, await tab.visit(response.headers.get('location') ?? ''), user);
      expect(arrival.url.searchParams.get('state')).to.equal(state);
    });

    it('fapi2-security-profile-final-par-attempt-reuse-request_uri: counts once', async () => {
      const { requestUri } = await pushed();
      expect((await goOn(requestUri)).url.searchParams.has('code')).to.equal(true);
      const grants = await grantsOf(client);
      expectPage(await goOn(requestUri), 'invalid_request_uri');
      expect(await grantsOf(client)).to.equal(grants);
    });

    it('fapi2-security-profile-final-par-ensure-reused-request-uri-prior-to-auth-completion-succeeds', async () => {
      const { requestUri } = await pushed();
      const tab = browser(server);
      const address = byReference(server, client, requestUri);
      expect((await tab.visit(address)).html).to.include('name="password"');
      const again = await passPages(tab, await tab.visit(address), user);
      expect(again.url.searchParams.has('code')).to.equal(true);
    });

    it('of two pages that were opened before, one gets an answer', async () => {
      const { requestUri } = await pushed({ prompt: 'consent' });
      const tab = browser(server);
      const login = await tab.visit(byReference(server, client, requestUri));
      const first = await tab.submit(login, { username: user.username, password: user.password });
      const second = await tab.visit(byReference(server, client, requestUri));
      const grants = await grantsOf(client);
      expect((await tab.submit(first, { decision: 'allow' })).url.searchParams.has('code')).to.equal(true);
      expectPage(await tab.submit(second, { decision: 'allow' }), 'invalid_request_uri');
      expectPage(await tab.submit(second, { decision: 'deny' }), 'invalid_request_uri');
      expect(await grantsOf(client)).to.equal(grants + 1);
    });

    it('is used up by a refusal too', async () => {
      const { requestUri } = await pushed({ prompt: 'none' });
      expect((await goOn(requestUri)).url.searchParams.get('error')).to.equal('login_required');
      expectPage(await goOn(requestUri), 'invalid_request_uri');
    });

    it('fapi2-security-profile-final-par-attempt-to-use-expired-request_uri: ends when expires_in is over', async () => {
      const [kept, late] = [await pushed(), await pushed()];
      server.clock.advance(59);
      expect((await goOn(kept.requestUri)).url.searchParams.has('code')).to.equal(true);
      server.clock.advance(1);
      expectPage(await goOn(late.requestUri), 'invalid_request_uri');
    });

    it('lets a login that began in time take longer', async () => {
      const { requestUri } = await pushed();
      const tab = browser(server);
      const page = await tab.visit(byReference(server, client, requestUri));
      server.clock.advance(3000);
      expect((await passPages(tab, page, user)).url.searchParams.has('code')).to.equal(true);
      expectPage(await goOn(requestUri), 'invalid_request_uri');
    });

    it('fapi2-security-profile-final-par-attempt-to-use-request_uri-for-different-client: is bound to its client (section 2.2)', async () => {
      const other = await server.client();
      const { requestUri } = await pushed();
      expectPage(await goOn(requestUri, other), 'invalid_request_uri');
      expect((await goOn(requestUri)).url.searchParams.has('code')).to.equal(true);
    });

    it('is none when it was not made here, or is written differently', async () => {
      const { requestUri } = await pushed();
      const prefix = 'urn:ietf:params:oauth:request_uri:';
      for (const other of [
        `${prefix}x`,
        prefix,
        `${requestUri}A`,
        `${requestUri}=`,
        requestUri.slice(0, -1),
        requestUri.replace(/.$/, '-'),
      ]) {
        expectPage(await goOn(other), 'invalid_request_uri');
      }
    });

    it('ends with its client', async () => {
      const gone = await server.client();
      const { requestUri } = await pushed({}, gone);
      await server.repositories.clientStore.delete(gone.id);
      const opened = await openDatabase(location);
      const left = await opened.rows('SELECT id FROM pushed_requests WHERE client_id = ?', [gone.id]);
      await opened.close();
      expect(left).to.deep.equal([]);
      expect((await goOn(requestUri, gone)).status).to.equal(400);
    });
  });

  describe('where it is required (sections 5 and 6)', () => {
    it('refuses a request of such a client that did not go that way, and takes the one that did', async () => {
      const strict = await server.client({ require_pushed_authorization_requests: true });
      const { parameters } = requestParameters(server, strict);
      const plain = await browser(server).visit(`${server.issuer}/authorize?${new URLSearchParams(parameters).toString()}`);
      expect(plain.url.searchParams.get('error')).to.equal('invalid_request');
      const { requestUri } = await pushed({}, strict);
      expect((await goOn(requestUri, strict)).url.searchParams.has('code')).to.equal(true);
    });

    it('holds for every client of a server that says so', async () => {
      const strict = await startTestServer(await database.create(), {
        REQUIRE_PUSHED_AUTHORIZATION_REQUESTS: 'on',
        PUSHED_REQUEST_TTL: '5m',
      });
      try {
        const { body } = await answerOf(strict.get('/.well-known/openid-configuration'));
        expect(body).to.include({ require_pushed_authorization_requests: true });
        const any = await strict.client();
        const { parameters } = requestParameters(strict, any);
        const plain = await browser(strict).visit(`${strict.issuer}/authorize?${new URLSearchParams(parameters).toString()}`);
        expect(plain.url.searchParams.get('error')).to.equal('invalid_request');
        const { requestUri, body: answer } = await push(strict, any, parameters);
        expect(answer['expires_in']).to.equal(300);
        expect((await browser(strict).visit(byReference(strict, any, requestUri))).html).to.include('name="password"');
      } finally {
        await strict.close();
      }
    });
  });
});
