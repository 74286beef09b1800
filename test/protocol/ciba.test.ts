import { expect } from 'chai';
import { CIBA_GRANT } from '../../src/clients/deferred-grants.ts';
import { answerOf, expectError, readAccessToken, readIdToken } from '../support/answers.ts';
import { browser, logIn, refresh } from '../support/browser.ts';
import { approvals, askUser, CIBA, cibaClient, decideNewest, lookAtNewest, poll, request, waitingIn } from '../support/ciba.ts';
import { onEachDatabase } from '../support/databases.ts';
import { postWithProof, proofFor, proofKey } from '../support/dpop.ts';
import { authenticatorFor, claimsOf, TWO_FACTORS } from '../support/second-factor.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';

onEachDatabase('client-initiated backchannel authentication (CIBA)', (databases) => {
  let server: TestServer;
  let user: TestUser;
  let client: TestClient;
  before(async () => {
    server = await startTestServer(await databases.create(), { ...CIBA, RATE_LIMITS: 'off', CIBA_REQUESTS_PER_USER: '20' });
    client = await cibaClient(server);
  });
  beforeEach(async () => {
    user = await server.user();
  });
  after(() => server.close());

  async function grantsOf({ id: userId }: TestUser) {
    return server.repositories.grants.list({ userId }, { limit: 50 });
  }

  describe('the backchannel authentication endpoint (section 7)', () => {
    it('is found by the metadata (section 4)', async () => {
      const { body } = await answerOf(server.get('/.well-known/openid-configuration'));
      expect(body).to.deep.include({
        backchannel_authentication_endpoint: `${server.issuer}/backchannel-authentication`,
        backchannel_token_delivery_modes_supported: ['poll', 'ping'],
        backchannel_user_code_parameter_supported: false,
      });
      expect(body['backchannel_authentication_request_signing_alg_values_supported']).to.include.members(['ES256', 'PS256']);
      expect(body['grant_types_supported']).to.include(CIBA_GRANT);
    });

    it('answers with the auth_req_id, how long it lives, and how often to poll (section 7.3)', async () => {
      const { status, headers, body } = await request(server, client, { login_hint: user.username });
      expect(status).to.equal(200);
      expect(headers.get('cache-control')).to.equal('no-store');
      expect(body['auth_req_id']).to.match(/^kt_ar_[\w-]{70}$/);
      expect(body).to.include({ expires_in: 600, interval: 5 });
    });

    it('authenticates the client, and knows none that is not registered for the grant', async () => {
      const other = await server.client();
      expectError(await request(server, other, { login_hint: user.username }), 'unauthorized_client');
      expectError(await request(server, { ...client, secret: 'x'.repeat(43) }, { login_hint: user.username }), 'invalid_client', 401);
      expectError(await poll(server, other, (await askUser(server, client, user)).auth_req_id), 'unauthorized_client');
    });

    it('takes exactly one hint (section 7.2), and no login_hint_token', async () => {
      const { id_token: idToken = '' } = await logIn(server, await server.client(), user, { scope: 'openid' });
      for (const hints of [
        {},
        { login_hint: user.username, id_token_hint: idToken },
        { login_hint: user.username, login_hint_token: 'x' },
        { login_hint_token: 'x' },
        // Another client's, and none at all.
        { id_token_hint: idToken },
        { id_token_hint: 'ey.x.y' },
      ]) {
        expectError(await request(server, client, hints), 'invalid_request');
      }
      expect(await server.repositories.deferredRequests.openFor(user.id, server.clock.now())).to.deep.equal([]);
    });

    it('knows users by name, by sub, and by an ID token of the client', async () => {
      const tokens = await (async () => {
        const { auth_req_id: id } = await askUser(server, client, user);
        await decideNewest(server, user);
        return (await poll(server, client, id)).body;
      })();
      for (const hint of [
        { login_hint: ` ${user.username.toUpperCase()}` },
        { login_hint: user.id },
        { id_token_hint: String(tokens['id_token']) },
      ]) {
        expect((await request(server, client, hint)).status).to.equal(200);
      }
      expect(waitingIn(await approvals(server, user))).to.have.length(3);
    });

    it('answers unknown_user_id of nobody, and of a user who is disabled', async () => {
      await server.repositories.users.disable(user.id, server.clock.now());
      for (const hint of ['nobody', user.username, user.id]) {
        expectError(await request(server, client, { login_hint: hint }), 'unknown_user_id');
      }
      expect(server.events.filter(({ event }) => event === 'unknown_user_hinted')).to.have.length(3);
    });

    it('finds nobody by a sub for a client that knows users by pairwise ones', async () => {
      const own = await cibaClient(server, {
        subject_type: 'pairwise',
        sector_identifier_uri: undefined,
        redirect_uris: ['https://p.example/'],
      });
      expectError(await request(server, own, { login_hint: user.id }), 'unknown_user_id');
      const { auth_req_id: id } = await askUser(server, own, user);
      await decideNewest(server, user);
      const { body } = await poll(server, own, id);
      expect(claimsOf(String(body['id_token'])).sub).not.to.equal(user.id);
      expectError(await request(server, own, { id_token_hint: String(body['id_token']) }), 'invalid_request');
    });

    it('tells the client at once what is wrong with its request', async () => {
      for (const [form, error] of [
        [{ scope: '' }, 'invalid_request'],
        [{ scope: 'api:read' }, 'invalid_scope'],
        [{ scope: 'openid admin' }, 'invalid_scope'],
        [{ resource: 'https://other.example' }, 'invalid_target'],
        [{ authorization_details: '[{"type":"unknown"}]' }, 'invalid_authorization_details'],
        [{ prompt: 'none' }, 'invalid_request'],
        [{ request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'invalid_request'],
        [{ request: 'ey.x.y' }, 'invalid_request'],
        [{ requested_expiry: '0' }, 'invalid_request'],
        [{ requested_expiry: '-1' }, 'invalid_request'],
        [{ requested_expiry: '1.5' }, 'invalid_request'],
        [{ nonce: 'x'.repeat(9000) }, 'invalid_request'],
      ] as const) {
        expectError(await request(server, client, { login_hint: user.username, ...form }), error);
      }
      expect(await server.repositories.deferredRequests.openFor(user.id, server.clock.now())).to.deep.equal([]);
    });

    it('lives as long as the client asks for, and no longer than CIBA_REQUEST_TTL', async () => {
      expect((await askUser(server, client, user, { requested_expiry: '60' })).expires_in).to.equal(60);
      expect((await askUser(server, client, user, { requested_expiry: '999999999' })).expires_in).to.equal(600);
    });

    it('stores neither the auth_req_id nor the hint', async () => {
      const { auth_req_id: id } = await askUser(server, client, user);
      const [open] = await server.repositories.deferredRequests.openFor(user.id, server.clock.now());
      expect(JSON.stringify(open)).to.include(client.id).and.not.to.include(id);
    });
  });

  describe('the page of what waits for a user', () => {
    it('asks for a login, and shows who asks, the message, what for, when and from where', async () => {
      const own = await cibaClient(server, { client_name: 'Bank by telephone' });
      await askUser(server, own, user, { binding_message: 'W4SCT, €20 – 구매' });
      server.clock.advance(120);
      const tab = browser(server);
      expect((await tab.visit('/ciba')).html).to.include('to see what applications ask you to allow');
      const page = await approvals(server, user, tab);
      expect(page.url.pathname).to.equal('/ciba');
      expect(page.html).to.include('Bank by telephone').and.to.include('<bdi>W4SCT, €20 – 구매</bdi>').and.to.include('api:read');
      expect(page.html).to.match(/2 minutes ago, from <code[^>]*>127\.0\.0\.1<\/code>/);
      expect((await tab.visit(waitingIn(page)[0] ?? '')).html)
        .to.include('W4SCT, €20 – 구매')
        .and.to.include('Compare it')
        .and.not.to.include('Sends you to');
    });

    it('shows nobody what waits for others', async () => {
      await askUser(server, client, user);
      const page = await approvals(server, await server.user());
      expect(waitingIn(page)).to.deep.equal([]);
      expect(page.html).to.include('Nothing waits for your answer.');
    });

    it('is in Korean for who reads that', async () => {
      await askUser(server, client, user, { ui_locales: 'ko', binding_message: '1234' });
      const tab = browser(server);
      expect((await tab.visit('/ciba', { 'accept-language': 'ko' })).html).to.include('승인 요청을 확인하려면');
      const page = await lookAtNewest(server, user, tab);
      expect(page.html).to.include('같은지 비교해 주십시오');
      expect((await tab.submit(page, { decision: 'allow' })).html).to.include('잠시 후 앱에서 자동으로 계속됩니다');
    });

    it('asks for the second factor of a user who has one', async () => {
      const authenticator = await authenticatorFor(server, user);
      const { auth_req_id: id } = await askUser(server, client, user);
      const tab = browser(server);
      const code = await tab.submit(await tab.visit('/ciba'), { username: user.username, password: user.password });
      expect(waitingIn(code)).to.deep.equal([]);
      const wrong = await tab.submit(code, { otp: '000000' });
      expect(wrong.status).to.equal(400);
      const page = await tab.submit(wrong, { otp: authenticator.code() });
      expect(waitingIn(page)).to.have.length(1);
      await decideNewest(server, user, 'allow', tab);
      expect(claimsOf(String((await poll(server, client, id)).body['id_token']))['amr']).to.include('otp');
    });

    it('refuses a wrong password, and a form that it did not show', async () => {
      const tab = browser(server);
      const wrong = await tab.submit(await tab.visit('/ciba'), { username: user.username, password: 'wrong' });
      expect(wrong.status).to.equal(400);
      expect(wrong.html).to.include('The username or the password is not right');
      const forged = await fetch(`${server.issuer}/ciba`, {
        method: 'POST',
        body: new URLSearchParams({ username: user.username, password: user.password }),
        redirect: 'manual',
      });
      expect(forged.status).to.equal(400);
      expect(forged.headers.getSetCookie().join()).not.to.include('keyturn_session');
    });
  });

  describe('the user’s decision', () => {
    it('gives the client tokens for what was asked, about that user', async () => {
      const { auth_req_id: id } = await askUser(server, client, user);
      expectError(await poll(server, client, id), 'authorization_pending');
      const page = await decideNewest(server, user);
      expect(page.status).to.equal(200);
      expect(page.html).to.include('Access allowed').and.to.include('The application goes on by itself');
      const { status, headers, body } = await poll(server, client, id);
      expect(status).to.equal(200);
      expect(headers.get('cache-control')).to.equal('no-store');
      expect(body).to.include({ token_type: 'Bearer', expires_in: 900, scope: 'openid api:read' });
      const { claims } = await readAccessToken(server, body['access_token']);
      expect(claims).to.include({ sub: user.id, client_id: client.id, scope: 'openid api:read' });
      expect((await readIdToken(server, client, body['id_token'])).claims).to.include({ sub: user.id, auth_time: claims['auth_time'] });
      expect((await refresh(server, client, String(body['refresh_token']))).status).to.equal(200);
    });

    it('that is no is access_denied to the client, once and for all, and makes no grant', async () => {
      const { auth_req_id: id } = await askUser(server, client, user);
      expect((await decideNewest(server, user, 'deny')).html).to.include('Access denied');
      expectError(await poll(server, client, id), 'access_denied');
      expectError(await poll(server, client, id), 'access_denied');
      expect(await grantsOf(user)).to.deep.equal([]);
      expect(waitingIn(await approvals(server, user))).to.deep.equal([]);
    });

    it('is asked for each time: neither a first-party client nor an answer of before stands in', async () => {
      const own = await cibaClient(server, { skip_consent: true });
      for (let time = 0; time < 2; time++) {
        await askUser(server, own, user);
        const page = await lookAtNewest(server, user);
        expect(page.html).to.include('value="allow"');
        await browser(server).visit('/ciba');
        await decideNewest(server, user);
      }
    });

    it('is one of two at once', async () => {
      const { auth_req_id: id } = await askUser(server, client, user);
      const [one, other] = [browser(server), browser(server)];
      const pages = [await lookAtNewest(server, user, one), await lookAtNewest(server, user, other)] as const;
      expect((await one.submit(pages[0], { decision: 'deny' })).status).to.equal(200);
      expect((await other.submit(pages[1], { decision: 'allow' })).status).to.equal(400);
      expectError(await poll(server, client, id), 'access_denied');
    });

    it('needs the class that acr_values ask for', async () => {
      const authenticator = await authenticatorFor(server, user);
      const { auth_req_id: id } = await askUser(server, client, user, { acr_values: TWO_FACTORS });
      const tab = browser(server);
      const code = await tab.submit(await tab.visit('/ciba'), { username: user.username, password: user.password });
      await tab.submit(code, { otp: authenticator.code() });
      await decideNewest(server, user, 'allow', tab);
      expect(claimsOf(String((await poll(server, client, id)).body['id_token']))['acr']).to.equal(TWO_FACTORS);
    });

    it('asks a user who has one factor to set up the other, where the client insists on it', async () => {
      await askUser(server, client, user, { acr_values: TWO_FACTORS });
      expect((await lookAtNewest(server, user)).html).to.include('Set up one-time codes');
    });
  });

  describe('polling (sections 10.1 and 11)', () => {
    it('too soon is slow_down, and adds five seconds to the interval for good', async () => {
      const { auth_req_id: id } = await askUser(server, client, user);
      expectError(await poll(server, client, id), 'authorization_pending');
      expectError(await poll(server, client, id), 'slow_down');
      server.clock.advance(9);
      expectError(await poll(server, client, id), 'slow_down');
      server.clock.advance(15);
      expectError(await poll(server, client, id), 'authorization_pending');
    });

    it('is expired_token after its time, and nothing waits then', async () => {
      const { auth_req_id: id } = await askUser(server, client, user, { requested_expiry: '60' });
      const page = await lookAtNewest(server, user);
      server.clock.advance(60);
      expectError(await poll(server, client, id), 'expired_token');
      expect((await browser(server).submit(page, { decision: 'allow' })).status).to.equal(400);
      expect(await grantsOf(user)).to.deep.equal([]);
    });

    it('expires when the client does not come for what was allowed', async () => {
      const { auth_req_id: id } = await askUser(server, client, user, { requested_expiry: '60' });
      await decideNewest(server, user);
      server.clock.advance(60);
      expectError(await poll(server, client, id), 'expired_token');
    });

    it('needs an auth_req_id that this server made', async () => {
      expectError(await answerOf(server.post('/token', { grant_type: CIBA_GRANT }, client)), 'invalid_request');
      expectError(await poll(server, client, `kt_ar_${'A'.repeat(70)}`), 'invalid_grant');
    });

    it('gives the same refresh token again while the answer may have been lost, and ends the grant when it comes back later', async () => {
      const { auth_req_id: id } = await askUser(server, client, user);
      await decideNewest(server, user);
      const [first, again] = [await poll(server, client, id), await poll(server, client, id)];
      expect(again.body['refresh_token']).to.equal(first.body['refresh_token']);
      server.clock.advance(11);
      expectError(await poll(server, client, id), 'invalid_grant');
      expect((await refresh(server, client, String(first.body['refresh_token']))).body.error).to.equal('invalid_grant');
    });

    it('binds the tokens to the key that was proven in the request, and no other key gets them', async () => {
      const [key, other] = [await proofKey(), await proofKey()];
      const form = { scope: 'openid', login_hint: user.username };
      const proof = await proofFor(server, key, '/backchannel-authentication');
      const asked = await postWithProof(server, '/backchannel-authentication', form, client, proof);
      await decideNewest(server, user);
      const grant = { grant_type: CIBA_GRANT, auth_req_id: String(asked.body['auth_req_id']) };
      expectError(await postWithProof(server, '/token', grant, client, await proofFor(server, other, '/token')), 'invalid_grant');
      const { body } = await postWithProof(server, '/token', grant, client, await proofFor(server, key, '/token'));
      expect(body['token_type']).to.equal('DPoP');
    });
  });
});
