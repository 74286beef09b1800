import { expect } from 'chai';
import { answerOf, expectError, readAccessToken, readIdToken } from '../support/answers.ts';
import { clientKeyPair, keyClient } from '../support/assertions.ts';
import { byReference, push, requestObject } from '../support/authorization-requests.ts';
import { browser, passPages, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { postWithProof, proofFor, proofKey, tokenRequest } from '../support/dpop.ts';
import { challenge, directRequest, exchange, logInDirectly, sessionOf, typed } from '../support/first-party.ts';
import { type Authenticator, authenticatorFor, ONE_FACTOR, TWO_FACTORS } from '../support/second-factor.ts';
import { REDIRECT_URI, startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';

const RESOURCE = 'https://api.example/';

onEachDatabase('login in a first-party application (draft-ietf-oauth-first-party-apps-03)', (database) => {
  let server: TestServer;
  let client: TestClient;
  let user: TestUser;
  before(async () => {
    server = await startTestServer(await database.create());
    client = await server.client({ first_party: true, skip_consent: true, redirect_uris: [], allowed_resources: [RESOURCE] });
  });
  after(() => server.close());
  beforeEach(async () => {
    // All come from one address: what was typed wrong is forgotten after an hour.
    server.clock.advance(3600);
    user = await server.user();
  });

  async function grants(clientId = client.id): Promise<number> {
    return (await server.repositories.grants.list({ clientId, userId: user.id }, { limit: 50 })).length;
  }

  describe('the endpoint (section 4.1)', () => {
    it('is in the metadata (section 8)', async () => {
      const { body } = await answerOf(server.get('/.well-known/oauth-authorization-server'));
      expect(body).to.include({ authorization_challenge_endpoint: `${server.issuer}/authorize-challenge` });
    });

    it('answers username and password with a code, and sets no cookie (section 5.2.1)', async () => {
      const { parameters } = directRequest(server, client);
      const response = await server.post('/authorize-challenge', { ...parameters, ...typed(user) }, client);
      expect(response.headers.getSetCookie()).to.deep.equal([]);
      const { status, headers, body } = await answerOf(response);
      expect(status).to.equal(200);
      expect(headers.get('content-type')).to.equal('application/json');
      expect(headers.get('cache-control')).to.equal('no-store');
      expect(body).to.have.all.keys('authorization_code');
      expect(server.events.findLast(({ event }) => event === 'login')?.fields).to.include({ userId: user.id });
    });

    it('gives a code that the token endpoint takes, without a redirect_uri (section 6)', async () => {
      const scope = 'openid profile api:read';
      const answer = await logInDirectly(server, client, typed(user), { scope, nonce: 'a nonce', resource: RESOURCE });
      const { status, body } = await exchange(server, client, answer);
      expect(status).to.equal(200);
      const { claims } = await readAccessToken(server, body['access_token']);
      expect(claims).to.include({ sub: user.id, aud: RESOURCE, client_id: client.id, scope, acr: ONE_FACTOR });
      const idToken = await readIdToken(server, client, body['id_token']);
      expect(idToken.claims).to.deep.include({ sub: user.id, nonce: 'a nonce', amr: ['pwd'], auth_time: server.clock.now() });
      expect(idToken.claims['sid']).to.be.a('string');
      expect((await refresh(server, client, String(body['refresh_token']))).status).to.equal(200);
    });

    it('gives a code that counts once, and is bound to its verifier', async () => {
      const answer = await logInDirectly(server, client, typed(user));
      expectError(await exchange(server, client, { ...answer, verifier: 'x'.repeat(43) }), 'invalid_grant');
      expect((await exchange(server, client, answer)).status).to.equal(200);
      expectError(await exchange(server, client, answer), 'invalid_grant');
    });

    it('takes a public client that is registered for it', async () => {
      const app = await server.client({ token_endpoint_auth_method: 'none', first_party: true, skip_consent: true, redirect_uris: [] });
      const answer = await logInDirectly(server, app, typed(user));
      expect((await exchange(server, app, answer)).status).to.equal(200);
    });

    it('authenticates clients as the token endpoint does', async () => {
      const { parameters } = directRequest(server, client);
      const wrong = await challenge(server, { ...client, secret: 'x'.repeat(43) }, { ...parameters, ...typed(user) });
      expectError(wrong, 'invalid_client', 401);
      expectError(await challenge(server, { ...client, secret: '' }, { ...parameters, ...typed(user) }), 'invalid_client', 401);
      expect(await grants()).to.equal(0);
    });

    it('takes the redirect_uri of a client that has one, which is bound to the code then', async () => {
      const web = await server.client({ first_party: true, skip_consent: true });
      const answer = await logInDirectly(server, web, typed(user), { redirect_uri: REDIRECT_URI });
      expectError(await exchange(server, web, answer), 'invalid_grant');
      expect((await exchange(server, web, answer, { redirect_uri: REDIRECT_URI })).status).to.equal(200);
      expectError(await logInDirectly(server, web, typed(user), { redirect_uri: 'https://evil.example/' }), 'invalid_request');
    });

    for (const [what, changes, error] of [
      ['no response_type (section 5.1: REQUIRED)', { response_type: undefined }, 'invalid_request'],
      ['response_type token', { response_type: 'token' }, 'unsupported_response_type'],
      ['no code_challenge', { code_challenge: undefined, code_challenge_method: undefined }, 'invalid_request'],
      ['the method plain', { code_challenge_method: 'plain' }, 'invalid_request'],
      ['a scope that is not the client’s', { scope: 'api:admin' }, 'invalid_scope'],
      ['a resource that is not the client’s', { resource: 'https://other.example/' }, 'invalid_target'],
      ['prompt=none, for there is no session to go by', { prompt: 'none' }, 'login_required'],
    ] as const) {
      it(`refuses a request with ${what}, and looks at no password`, async () => {
        const before = server.events.length;
        expectError(await logInDirectly(server, client, typed(user), changes), error);
        expect(server.events.slice(before)).to.deep.equal([]);
        expect(await grants()).to.equal(0);
      });
    }

    it('answers GET with 405', async () => {
      expect((await answerOf(server.get('/authorize-challenge'))).status).to.equal(405);
    });
  });

  describe('what is still to come (section 5.2.2)', () => {
    it('asks for username and password where there are none, with an auth_session to go on with', async () => {
      for (const credentials of [{}, { username: user.username }, { password: user.password }]) {
        const answer = await logInDirectly(server, client, credentials);
        expectError(answer, 'insufficient_authorization');
        expect(answer.body).to.have.all.keys('error', 'error_description', 'auth_session', 'password_required');
        expect(answer.body['password_required']).to.equal(true);
        const done = await challenge(server, client, { auth_session: sessionOf(answer), ...typed(user) });
        expect((await exchange(server, client, { ...done, verifier: answer.verifier })).status).to.equal(200);
      }
    });

    it('says the same of a wrong password, and takes the right one next', async () => {
      const wrong = await logInDirectly(server, client, { ...typed(user), password: 'wrong' });
      expectError(wrong, 'insufficient_authorization');
      expect(wrong.body['password_required']).to.equal(true);
      expect((await challenge(server, client, { auth_session: sessionOf(wrong), ...typed(user) })).status).to.equal(200);
    });

    it('knows by the auth_session which public client it is (section 5.1)', async () => {
      const app = await server.client({ token_endpoint_auth_method: 'none', first_party: true, skip_consent: true, redirect_uris: [] });
      const begun = await logInDirectly(server, app, {});
      const form = { auth_session: sessionOf(begun), ...typed(user) };
      expect((await answerOf(server.post('/authorize-challenge', form))).status).to.equal(200);
      expectError(await answerOf(server.post('/authorize-challenge', { ...form, client_id: client.id })), 'invalid_client', 401);
    });

    it('keeps to the request that it began with: what is repeated must be the same', async () => {
      const begun = await logInDirectly(server, client, {}, { scope: 'api:read' });
      const form = { auth_session: sessionOf(begun), ...typed(user) };
      expectError(await challenge(server, client, { ...form, scope: 'api:read api:write' }), 'invalid_request');
      expectError(await challenge(server, client, { ...form, max_age: '0' }), 'invalid_request');
      const done = await challenge(server, client, { ...form, scope: 'api:read', response_type: 'code' });
      expect((await exchange(server, client, { ...done, verifier: begun.verifier })).body).to.include({ scope: 'api:read' });
    });

    it('is over after ten minutes, whatever came in between: invalid_session (section 5.2.2.1)', async () => {
      const begun = await logInDirectly(server, client, {});
      server.clock.advance(599);
      const later = await challenge(server, client, { auth_session: sessionOf(begun) });
      expectError(later, 'insufficient_authorization');
      server.clock.advance(1);
      for (const auth_session of [sessionOf(begun), sessionOf(later), 'made-up', `${sessionOf(begun)}x`]) {
        expectError(await challenge(server, client, { auth_session, ...typed(user) }), 'invalid_session');
      }
      expect(await grants()).to.equal(0);
    });

    it('can be read by nobody: neither the request nor the user stands in it (section 5.3.1)', async () => {
      await authenticatorFor(server, user);
      const session = sessionOf(await logInDirectly(server, client, typed(user), { scope: 'api:read' }));
      const readable = session.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
      expect([session, ...readable].join(' '))
        .not.to.include('api:read')
        .and.not.to.include(user.id)
        .and.not.to.include(client.id);
      expect(sessionOf(await logInDirectly(server, client, typed(user), { scope: 'api:read' }))).not.to.equal(session);
    });
  });

  describe('a second factor', () => {
    let authenticator: Authenticator;
    beforeEach(async () => {
      authenticator = await authenticatorFor(server, user);
    });

    it('is asked for after the password, always; the login is done with it', async () => {
      const half = await logInDirectly(server, client, typed(user), { scope: 'openid' });
      expectError(half, 'insufficient_authorization');
      expect(half.body).to.have.all.keys('error', 'error_description', 'auth_session', 'otp_required');
      expect(server.events.some(({ event, fields }) => event === 'login' && fields['userId'] === user.id)).to.equal(false);
      expect(await grants()).to.equal(0);
      const done = await challenge(server, client, { auth_session: sessionOf(half), otp: authenticator.code() });
      const { body } = await exchange(server, client, { ...done, verifier: half.verifier });
      expect((await readIdToken(server, client, body['id_token'])).claims).to.deep.include({
        acr: TWO_FACTORS,
        amr: ['pwd', 'otp', 'mfa'],
      });
      expect(server.events.filter(({ event, fields }) => event === 'login' && fields['userId'] === user.id)).to.have.length(1);
    });

    it('may come with the password, and may be a recovery code', async () => {
      expect((await logInDirectly(server, client, { ...typed(user), otp: authenticator.code() })).status).to.equal(200);
      const [otp = ''] = authenticator.recoveryCodes;
      expect((await logInDirectly(server, client, { ...typed(user), otp })).status).to.equal(200);
      expectError(await logInDirectly(server, client, { ...typed(user), otp }), 'insufficient_authorization');
    });

    it('lets the user try again after a wrong code', async () => {
      const half = await logInDirectly(server, client, { ...typed(user), otp: 'wrong' });
      expect(half.body).to.include({ error: 'insufficient_authorization', otp_required: true });
      expect((await challenge(server, client, { auth_session: sessionOf(half), otp: authenticator.code() })).status).to.equal(200);
    });

    it('is asked for within five minutes of the password: then the password again', async () => {
      const half = await logInDirectly(server, client, typed(user));
      server.clock.advance(300);
      const late = await challenge(server, client, { auth_session: sessionOf(half), otp: authenticator.code() });
      expect(late.body).to.include({ error: 'insufficient_authorization', password_required: true });
      const again = { auth_session: sessionOf(late), ...typed(user), otp: authenticator.code() };
      expect((await challenge(server, client, again)).status).to.equal(200);
    });

    it('is what acr_values of two factors ask for, and the class told is the one asked for (RFC 9470 section 4)', async () => {
      const asked = { scope: 'openid', acr_values: TWO_FACTORS };
      const both = await logInDirectly(server, client, { ...typed(user), otp: authenticator.code() }, asked);
      expect((await readAccessToken(server, (await exchange(server, client, both)).body['access_token'])).claims).to.include({
        acr: TWO_FACTORS,
      });
    });
  });

  describe('what only a browser can do: redirect_to_web (section 5.2.2.1.1)', () => {
    it('is where the class asked for needs an authenticator that the user has not', async () => {
      const answer = await logInDirectly(server, client, typed(user), { acr_values: TWO_FACTORS });
      expectError(answer, 'redirect_to_web');
      expect(await grants()).to.equal(0);
      // One that is only preferred is no obstacle.
      expect((await logInDirectly(server, client, typed(user), { acr_values: `${TWO_FACTORS} ${ONE_FACTOR}` })).status).to.equal(200);
    });

    it('is where the user is to be asked, and gives a request_uri that a browser goes on with', async () => {
      const asking = await server.client({ first_party: true });
      const { parameters, verifier } = directRequest(server, asking, { scope: 'api:read' });
      const answer = await challenge(server, asking, { ...parameters, ...typed(user) });
      expectError(answer, 'redirect_to_web');
      expect(answer.body).to.include({ expires_in: 60 });
      const tab = browser(server);
      const arrival = await passPages(tab, await tab.visit(byReference(server, asking, String(answer.body['request_uri']))), user);
      const code = { authorization_code: arrival.url.searchParams.get('code') };
      expect((await exchange(server, asking, { body: code, verifier })).body).to.include({ scope: 'api:read' });
      // What was allowed there need not be asked here.
      expect((await logInDirectly(server, asking, typed(user), { scope: 'api:read' })).status).to.equal(200);
      expectError(await logInDirectly(server, asking, typed(user), { scope: 'api:write' }), 'redirect_to_web');
    });

    it('is where prompt=consent asks for it, without a request_uri where there is no redirect URI to answer at', async () => {
      const answer = await logInDirectly(server, client, typed(user), { prompt: 'consent' });
      expectError(answer, 'redirect_to_web');
      expect(answer.body).to.have.all.keys('error', 'error_description');
    });

    it('gives no request_uri without a code_challenge (MUST NOT)', async () => {
      const old = await server.client({ first_party: true, require_pkce: false });
      const answer = await logInDirectly(server, old, typed(user), { code_challenge: undefined, code_challenge_method: undefined });
      expectError(answer, 'redirect_to_web');
      expect(answer.body).to.have.all.keys('error', 'error_description');
    });

    it('is always for a public client whose users are to be asked: a name alone remembers nothing', async () => {
      const app = await server.client({ token_endpoint_auth_method: 'none', first_party: true });
      const tab = browser(server);
      const first = await logInDirectly(server, app, typed(user));
      await passPages(tab, await tab.visit(byReference(server, app, String(first.body['request_uri']))), user);
      expectError(await logInDirectly(server, app, typed(user)), 'redirect_to_web');
    });
  });

  describe('other forms of the request (section 4.1: "any authorization endpoint extensions")', () => {
    it('a pushed request counts once', async () => {
      const { parameters, verifier } = directRequest(server, client, { scope: 'api:read' });
      const web = await server.client({ first_party: true, skip_consent: true, require_pushed_authorization_requests: true });
      const { requestUri } = await push(server, web, { ...parameters, client_id: web.id });
      expectError(await challenge(server, web, { ...parameters, client_id: web.id, ...typed(user) }), 'invalid_request');
      const done = await challenge(server, web, { request_uri: requestUri, ...typed(user) });
      expect((await exchange(server, web, { ...done, verifier })).body).to.include({ scope: 'api:read' });
      expectError(await challenge(server, web, { request_uri: requestUri, ...typed(user) }), 'invalid_request_uri');
    });

    it('goes on by the auth_session where the client repeats it, in either form, and by no other', async () => {
      const pair = clientKeyPair('ES256');
      const web = await server.client({ first_party: true, skip_consent: true, jwks: { keys: [pair.jwk] } });
      const { parameters, verifier } = directRequest(server, web, { scope: 'api:read' });
      const another = (await push(server, web, parameters)).requestUri;
      for (const form of [
        { request_uri: (await push(server, web, parameters)).requestUri },
        { request: await requestObject(server, web, pair, parameters), scope: 'api:write' },
      ]) {
        const auth_session = sessionOf(await challenge(server, web, form));
        expectError(await challenge(server, web, { auth_session, request_uri: another, ...typed(user) }), 'invalid_request');
        expectError(await challenge(server, web, { auth_session, request: 'x.y.z', ...typed(user) }), 'invalid_request');
        const done = await challenge(server, web, { auth_session, ...form, ...typed(user) });
        expect((await exchange(server, web, { ...done, verifier })).body).to.include({ scope: 'api:read' });
      }
      const plain = sessionOf(await challenge(server, web, parameters));
      expectError(await challenge(server, web, { auth_session: plain, request_uri: another, ...typed(user) }), 'invalid_request');
    });

    it('a pushed request goes on by the auth_session', async () => {
      const web = await server.client({ first_party: true, skip_consent: true });
      const { parameters, verifier } = directRequest(server, web);
      const { requestUri } = await push(server, web, parameters);
      const sessions = [];
      for (let time = 0; time < 2; time++) {
        sessions.push(sessionOf(await challenge(server, web, { request_uri: requestUri })));
      }
      const [one = '', other = ''] = sessions;
      const done = await challenge(server, web, { auth_session: one, ...typed(user) });
      expect((await exchange(server, web, { ...done, verifier })).status).to.equal(200);
      expectError(await challenge(server, web, { auth_session: other, ...typed(user) }), 'invalid_request_uri');
    });

    it('a signed request object counts, and nothing beside it', async () => {
      const pair = clientKeyPair('ES256');
      const metadata = {
        first_party: true,
        skip_consent: true,
        token_endpoint_auth_method: 'client_secret_basic',
        jwks: { keys: [pair.jwk] },
      };
      const signing = await server.client(metadata);
      const { parameters, verifier } = directRequest(server, signing, { scope: 'api:read' });
      const request = await requestObject(server, signing, pair, parameters);
      const done = await challenge(server, signing, { request, scope: 'api:write', ...typed(user) });
      expect((await exchange(server, signing, { ...done, verifier })).body).to.include({ scope: 'api:read' });
      const { pair: strange } = await keyClient(server);
      const forged = await requestObject(server, signing, strange, parameters);
      expectError(await challenge(server, signing, { request: forged, ...typed(user) }), 'invalid_request_object');
    });
  });

  describe('with DPoP (section 9.5.1)', () => {
    it('binds auth_session and code to the key of the first request', async () => {
      const [key, other] = [await proofKey(), await proofKey()];
      const authenticator = await authenticatorFor(server, user);
      const { parameters, verifier } = directRequest(server, client);
      const path = '/authorize-challenge';
      const half = await postWithProof(server, path, { ...parameters, ...typed(user) }, client, await proofFor(server, key, path));
      expectError(half, 'insufficient_authorization');
      const form = { auth_session: sessionOf(half) };
      for (const proof of [undefined, await proofFor(server, other, path)]) {
        expectError(await postWithProof(server, path, form, client, proof), 'invalid_session');
      }
      const right = { ...form, otp: authenticator.code() };
      const done = await postWithProof(server, path, right, client, await proofFor(server, key, path));
      const code = { grant_type: 'authorization_code', code: String(done.body['authorization_code']), code_verifier: verifier };
      expectError(await tokenRequest(server, client, code, other), 'invalid_grant');
      expectError(await tokenRequest(server, client, code, undefined), 'invalid_grant');
      expect((await tokenRequest(server, client, code, key)).body).to.include({ token_type: 'DPoP' });
    });

    it('refuses a proof that is not for this endpoint, and one that names another key than dpop_jkt', async () => {
      const key = await proofKey();
      const path = '/authorize-challenge';
      const { parameters } = directRequest(server, client);
      const form = { ...parameters, ...typed(user) };
      expectError(await postWithProof(server, path, form, client, await proofFor(server, key, '/token')), 'invalid_dpop_proof');
      const named = { ...form, dpop_jkt: 'A'.repeat(43) };
      expectError(await postWithProof(server, path, named, client, await proofFor(server, key, path)), 'invalid_dpop_proof');
    });

    it('is needed by a client that is registered for bound tokens alone', async () => {
      const bound = await server.client({ first_party: true, skip_consent: true, dpop_bound_access_tokens: true });
      expectError(await logInDirectly(server, bound, typed(user)), 'invalid_dpop_proof');
    });
  });

  describe('the session behind it', () => {
    it('ends with all others of the user, and takes its grants along where the client wants that', async () => {
      const app = await server.client({ first_party: true, skip_consent: true, revoke_grants_on_logout: true });
      const { body } = await exchange(server, app, await logInDirectly(server, app, typed(user)));
      await server.repositories.users.signOut(user.id, { grants: false }, server.clock.now());
      expect((await refresh(server, app, String(body['refresh_token']))).body).to.include({ error: 'invalid_grant' });
    });

    it('lasts as long as a browser’s, or no longer than one that is not used where there is no refresh token', async () => {
      const { sessionIdleSeconds, sessionAbsoluteSeconds } = server.config.lifetimes;
      const brief = await server.client({ first_party: true, skip_consent: true, grant_types: ['authorization_code'] });
      for (const [app, seconds] of [
        [client, sessionAbsoluteSeconds],
        [brief, sessionIdleSeconds],
      ] as const) {
        const { body } = await exchange(server, app, await logInDirectly(server, app, typed(user), { scope: 'openid' }));
        const sid = String((await readIdToken(server, app, body['id_token'])).claims['sid']);
        const now = server.clock.now();
        expect((await server.repositories.sessions.findLive(sid, now + seconds - 1))?.userId).to.equal(user.id);
        expect(await server.repositories.sessions.findLive(sid, now + seconds)).to.equal(undefined);
      }
    });

    it('is no other login’s: two logins have two', async () => {
      const sids = [];
      for (let time = 0; time < 2; time++) {
        const { body } = await exchange(server, client, await logInDirectly(server, client, typed(user), { scope: 'openid' }));
        sids.push((await readIdToken(server, client, body['id_token'])).claims['sid']);
      }
      expect(new Set(sids).size).to.equal(2);
    });

    it('is about the user that the request is about, or there is none', async () => {
      const other = await server.user();
      const { body } = await exchange(server, client, await logInDirectly(server, client, typed(other), { scope: 'openid' }));
      const hint = { scope: 'openid', id_token_hint: String(body['id_token']) };
      expectError(await logInDirectly(server, client, typed(user), hint), 'login_required');
      expect((await logInDirectly(server, client, typed(other), hint)).status).to.equal(200);
      expect(await grants()).to.equal(0);
    });
  });
});
