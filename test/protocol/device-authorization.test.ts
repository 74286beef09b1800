import { expect } from 'chai';
import { DEVICE_CODE_GRANT } from '../../src/clients/deferred-grants.ts';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { answerOf, eventually, expectError, readAccessToken, readIdToken } from '../support/answers.ts';
import { clientKeyPair } from '../support/assertions.ts';
import { browser, formWith, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { askFor, connect, decide, deviceClient, enterCode, poll } from '../support/device.ts';
import { postWithProof, proofFor, proofKey } from '../support/dpop.ts';
import { authenticatorFor, TWO_FACTORS } from '../support/second-factor.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';

onEachDatabase('device authorization (RFC 8628)', (databases) => {
  let location: DatabaseLocation;
  let server: TestServer;
  let user: TestUser;
  let client: TestClient;
  before(async () => {
    location = await databases.create();
    server = await startTestServer(location);
    user = await server.user();
    client = await deviceClient(server);
  });
  after(() => server.close());

  async function grantsOf({ id: clientId }: TestClient) {
    return server.repositories.grants.list({ clientId }, { limit: 50 });
  }

  async function rowsOf({ id }: TestClient): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const opened = await openDatabase(location);
    const found = await opened.rows<Readonly<Record<string, unknown>>>('SELECT * FROM deferred_requests WHERE client_id = ?', [id]);
    await opened.close();
    return found;
  }

  describe('the device authorization endpoint (sections 3.1 and 3.2)', () => {
    it('is found by the metadata (section 4)', async () => {
      const { body } = await answerOf(server.get('/.well-known/oauth-authorization-server'));
      expect(body['device_authorization_endpoint']).to.equal(`${server.issuer}/device_authorization`);
      expect(body['grant_types_supported']).to.include(DEVICE_CODE_GRANT);
    });

    it('answers with the codes, where to enter the one, and how to poll with the other', async () => {
      const { status, headers, body } = await answerOf(server.post('/device_authorization', { scope: 'openid api:read' }, client));
      expect(status).to.equal(200);
      expect(headers.get('cache-control')).to.equal('no-store');
      expect(body['user_code']).to.match(/^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
      expect(body['device_code']).to.match(/^kt_dc_[\w-]{70}$/);
      expect(body).to.deep.include({
        verification_uri: `${server.issuer}/device`,
        verification_uri_complete: `${server.issuer}/device?user_code=${String(body['user_code'])}`,
        expires_in: 600,
        interval: 5,
      });
    });

    it('stores neither code', async () => {
      const own = await deviceClient(server);
      const device = await askFor(server, own);
      const [row] = await rowsOf(own);
      const text = JSON.stringify(row);
      expect(text).to.include(own.id);
      for (const secret of [device.device_code, device.user_code, device.user_code.replace('-', '')]) {
        expect(text).not.to.include(secret);
      }
    });

    it('authenticates the client as the token endpoint does', async () => {
      const own = await deviceClient(server, { token_endpoint_auth_method: 'client_secret_basic' });
      expect((await answerOf(server.post('/device_authorization', {}, own))).status).to.equal(200);
      expectError(await answerOf(server.post('/device_authorization', { client_id: own.id })), 'invalid_client', 401);
      expectError(await answerOf(server.post('/device_authorization', {}, { ...own, secret: 'x'.repeat(43) })), 'invalid_client', 401);
      expectError(await answerOf(server.post('/device_authorization', {}, { id: 'nobody', secret: '' })), 'invalid_client', 401);
    });

    it('keeps nothing of what authenticated the client', async () => {
      const own = await deviceClient(server, { token_endpoint_auth_method: 'client_secret_post' });
      await answerOf(server.post('/device_authorization', { client_id: own.id, client_secret: own.secret, scope: 'api:read' }));
      const [row] = await rowsOf(own);
      expect(JSON.parse(String(row?.['parameters']))).to.deep.equal([
        ['client_id', own.id],
        ['scope', 'api:read'],
      ]);
    });

    it('refuses a client that is not registered for the grant, which no client is by default', async () => {
      const own = await server.client({ token_endpoint_auth_method: 'none' });
      expectError(await answerOf(server.post('/device_authorization', {}, own)), 'unauthorized_client');
      expect(await rowsOf(own)).to.deep.equal([]);
      expectError(await poll(server, own, (await askFor(server, client)).device_code), 'unauthorized_client');
    });

    it('tells the client at once what is wrong with its request, and keeps none of that', async () => {
      const own = await deviceClient(server, { allowed_resources: ['https://api.example'] });
      for (const [form, error] of [
        [{ scope: 'admin' }, 'invalid_scope'],
        [{ resource: 'https://other.example' }, 'invalid_target'],
        [{ authorization_details: '[{"type":"unknown"}]' }, 'invalid_authorization_details'],
        [{ prompt: 'none' }, 'invalid_request'],
        [{ request: 'ey.x.y' }, 'request_not_supported'],
        [{ request_uri: 'urn:ietf:params:oauth:request_uri:x' }, 'request_uri_not_supported'],
        [{ dpop_jkt: 'short' }, 'invalid_request'],
        [{ login_hint: 'x'.repeat(9000) }, 'invalid_request'],
      ] as const) {
        expectError(await answerOf(server.post('/device_authorization', form, own)), error);
      }
      expect(await rowsOf(own)).to.deep.equal([]);
    });

    it('keeps no more of one client than DEFERRED_REQUESTS_PER_CLIENT, and goes on when they have expired', async () => {
      const small = await startTestServer(await databases.create(), { DEFERRED_REQUESTS_PER_CLIENT: '2', DEVICE_CODE_TTL: '1m' });
      try {
        const [own, other] = [await deviceClient(small), await deviceClient(small)];
        await askFor(small, own);
        await askFor(small, own);
        const refused = await answerOf(small.post('/device_authorization', {}, own));
        expectError(refused, 'temporarily_unavailable', 429);
        expect(refused.headers.get('retry-after')).to.equal('60');
        expect((await askFor(small, other)).expires_in).to.equal(60);
        small.clock.advance(60);
        await askFor(small, own);
      } finally {
        await small.close();
      }
    });

    it('may be called by scripts of any origin, without credentials', async () => {
      const response = await fetch(`${server.issuer}/device_authorization`, {
        method: 'POST',
        body: new URLSearchParams({ client_id: client.id }),
        headers: { origin: 'https://tv.example' },
      });
      expect(response.headers.get('access-control-allow-origin')).to.equal('*');
      expect(response.headers.get('access-control-allow-credentials')).to.equal(null);
    });
  });

  describe('the page where the code is entered (section 3.3)', () => {
    it('takes the code in either case and with any punctuation (section 6.1)', async () => {
      for (const written of [
        (code: string) => code.toLowerCase(),
        (code: string) => code.replace('-', ''),
        (code: string) => ` ${code}. `,
      ]) {
        const device = await askFor(server, client);
        const page = await enterCode(server, { ...device, user_code: written(device.user_code) }, user);
        expect(page.html).to.include('value="allow"');
      }
    });

    it('shows who asks, for what, from where, and the code to compare (RFC 10027)', async () => {
      const own = await deviceClient(server, { client_name: 'Living Room TV' });
      const device = await askFor(server, own, { scope: 'openid api:read' });
      const page = await enterCode(server, device, user);
      expect(page.html).to.include('Living Room TV').and.to.include('api:read').and.to.include(device.user_code);
      expect(page.html).to.match(/Asked from<\/dt><dd><code[^>]*>127\.0\.0\.1<\/code>, the network you are on/);
      expect(page.html).to.include('If somebody sent you the code or the link, deny it');
      expect(page.html).not.to.include('Sends you to');
    });

    it('says so when the device is on another network', async () => {
      const proxied = await startTestServer(await databases.create(), { TRUST_PROXY: '127.0.0.1/32' });
      try {
        const own = await deviceClient(proxied);
        const owner = await proxied.user();
        const { body } = await answerOf(
          fetch(`${proxied.issuer}/device_authorization`, {
            method: 'POST',
            body: new URLSearchParams({ client_id: own.id }),
            headers: { 'x-forwarded-for': '203.0.113.9' },
          }),
        );
        const device = { verification_uri: String(body['verification_uri']), user_code: String(body['user_code']) };
        const page = await enterCode(proxied, device, owner);
        expect(page.html).to.match(/<code[^>]*>203\.0\.113\.9<\/code>, not the network you are on/);
      } finally {
        await proxied.close();
      }
    });

    it('is filled in by verification_uri_complete, and sends nothing by itself (section 3.3.1)', async () => {
      const device = await askFor(server, client);
      const tab = browser(server);
      const page = await tab.visit(device.verification_uri_complete);
      expect(page.html).to.include(`value="${device.user_code}"`).and.to.include('Compare this code');
      expect(page.html).not.to.include('<script');
      expectError(await poll(server, client, device.device_code), 'authorization_pending');
      const next = await tab.submit(page, { user_code: device.user_code });
      expect(next.html).to.include('name="password"');
    });

    it('is in Korean for who reads that', async () => {
      const device = await askFor(server, client, { ui_locales: 'ko' });
      const tab = browser(server);
      const korean = { 'accept-language': 'ko' };
      expect((await tab.visit(device.verification_uri, korean)).html).to.include('기기에 표시된 코드를 입력해 주십시오.');
      const page = await enterCode(server, device, user, tab);
      expect(page.html).to.include('요청한 곳').and.to.include('기기에 표시된 코드');
      expect((await tab.submit(page, { decision: 'allow' })).html).to.include('접근을 허용했습니다');
    });

    it('says the same of a code that is unknown, expired, decided, or none at all', async () => {
      const [expired, denied] = [await askFor(server, client), await askFor(server, client)];
      await decide(server, denied, user, 'deny');
      const tab = browser(server);
      const said = [];
      for (const userCode of ['BBBB-BBBB', denied.user_code, '1234', 'AEIO-UYAE']) {
        said.push(await tab.submit(await tab.visit(denied.verification_uri), { user_code: userCode }));
      }
      server.clock.advance(600);
      said.push(await tab.submit(await tab.visit(expired.verification_uri), { user_code: expired.user_code }));
      for (const page of said) {
        expect(page.status).to.equal(400);
        expect(page.html).to.include('This code is not right, has expired, or was used already.');
      }
    });

    it('shows the code’s address as a QR code, as a picture and as text, of nothing but a code', async () => {
      const { user_code: userCode } = await askFor(server, client);
      const picture = await server.get(`/device/qr.svg?user_code=${userCode}`);
      expect(picture.headers.get('content-type')).to.equal('image/svg+xml');
      expect(await picture.text()).to.match(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" viewBox="0 0 \d+ \d+"/);
      const text = await server.get(`/device/qr.txt?user_code=${userCode}`);
      expect(text.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
      expect(await text.text()).to.match(/^[█▀▄ \n]+$/);
      for (const query of ['', '?user_code=', '?user_code=<svg>', '?user_code=https://evil.example']) {
        expect((await server.get(`/device/qr.svg${query}`)).status, query).to.equal(400);
      }
    });
  });

  describe('the user’s decision', () => {
    it('gives the device tokens for what was asked, about who allowed it', async () => {
      const device = await askFor(server, client, { scope: 'openid api:read', nonce: 'once' });
      const page = await decide(server, device, user);
      expect(page.status).to.equal(200);
      expect(page.html).to.include('Access allowed').and.to.include('Go back to your device');
      const { status, headers, body } = await poll(server, client, device.device_code);
      expect(status).to.equal(200);
      expect(headers.get('cache-control')).to.equal('no-store');
      expect(body).to.include({ token_type: 'Bearer', expires_in: 900, scope: 'openid api:read' });
      const { claims } = await readAccessToken(server, body['access_token']);
      expect(claims).to.include({ sub: user.id, client_id: client.id, scope: 'openid api:read' });
      const idToken = await readIdToken(server, client, body['id_token']);
      expect(idToken.claims).to.include({ sub: user.id, nonce: 'once', auth_time: claims['auth_time'] });
      expect((await refresh(server, client, String(body['refresh_token']))).status).to.equal(200);
    });

    it('is recorded, with where it was asked from', async () => {
      const own = await deviceClient(server);
      server.events.splice(0);
      await connect(server, own, user, { scope: 'api:read' });
      const told = server.events.filter(({ fields }) => fields['clientId'] === own.id).map(({ event }) => event);
      expect(told).to.deep.equal(['deferred_request_created', 'consent_granted', 'grant_created', 'deferred_request_decided']);
      expect(server.events.find(({ event }) => event === 'deferred_request_decided')?.fields).to.include({
        kind: 'device',
        decision: 'allowed',
        userId: user.id,
        askedFrom: '127.0.0.1',
      });
    });

    it('that is no is access_denied to the device, once and for all, and makes no grant', async () => {
      const own = await deviceClient(server);
      const device = await askFor(server, own);
      const page = await decide(server, device, user, 'deny');
      expect(page.html).to.include('Access denied').and.to.include('Nothing was allowed.');
      expectError(await poll(server, own, device.device_code), 'access_denied');
      expectError(await poll(server, own, device.device_code), 'access_denied');
      expect(await grantsOf(own)).to.deep.equal([]);
    });

    it('is asked for each time: neither a first-party client nor an answer of before stands in', async () => {
      const own = await deviceClient(server, { skip_consent: true, token_endpoint_auth_method: 'client_secret_basic' });
      const tab = browser(server);
      await decide(server, await askFor(server, own), user, 'allow', tab);
      const page = await enterCode(server, await askFor(server, own), user, tab);
      expect(page.html).to.include('value="allow"').and.not.to.include('Once allowed');
    });

    it('asks for another login, and another account, as at the authorization endpoint', async () => {
      const tab = browser(server);
      await decide(server, await askFor(server, client), user, 'allow', tab);
      const device = await askFor(server, client, { prompt: 'login' });
      const page = await tab.submit(await tab.visit(device.verification_uri), { user_code: device.user_code });
      expect(page.html).to.include('name="password"');
      const consent = await tab.submit(page, { username: user.username, password: user.password });
      const switched = await tab.submit(consent, { decision: 'switch' });
      expect(switched.html).to.include('name="password"');
      const other = await server.user();
      await tab.submit(await tab.submit(switched, { username: other.username, password: other.password }), { decision: 'allow' });
      const { claims } = await readAccessToken(server, (await poll(server, client, device.device_code)).body['access_token']);
      expect(claims.sub).to.equal(other.id);
    });

    it('is for the resources that were asked for (RFC 8707), out of which the poll may choose', async () => {
      const own = await deviceClient(server, { allowed_resources: ['https://one.example', 'https://two.example'] });
      const device = await askFor(server, own, { scope: 'api:read', resource: 'https://two.example' });
      expect((await enterCode(server, device, user)).html).to.include('https://two.example');
      await decide(server, device, user);
      expectError(await poll(server, own, device.device_code, { resource: 'https://one.example' }), 'invalid_target');
      const { body } = await poll(server, own, device.device_code);
      expect((await readAccessToken(server, body['access_token'])).claims.aud).to.equal('https://two.example');
    });

    it('gives no refresh token to a client without that grant type', async () => {
      const own = await deviceClient(server, { grant_types: [DEVICE_CODE_GRANT] });
      expect(await connect(server, own, user))
        .to.include({ token_type: 'Bearer' })
        .and.not.to.have.any.keys('refresh_token');
    });

    it('stands when the session ends before the device polls, unless the client wants grants to end with it', async () => {
      const lasting = await deviceClient(server);
      const ending = await deviceClient(server, { revoke_grants_on_logout: true, scope: 'api:read' });
      for (const [own, error] of [
        [lasting, undefined],
        [ending, 'invalid_grant'],
      ] as const) {
        const tab = browser(server);
        const device = await askFor(server, own, { scope: 'api:read' });
        await decide(server, device, user, 'allow', tab);
        await tab.submit(await tab.visit('/logout'), { decision: 'sign_out' });
        expect((await poll(server, own, device.device_code)).body['error']).to.equal(error);
      }
    });

    it('counts for nothing when the session is over at that moment, and the request stays open', async () => {
      const device = await askFor(server, client);
      const tab = browser(server);
      const page = await enterCode(server, device, user, tab);
      const elsewhere = browser(server);
      tab.cookies.forEach((value, name) => elsewhere.cookies.set(name, value));
      await elsewhere.submit(await elsewhere.visit('/logout'), { decision: 'sign_out' });
      expect((await tab.submit(page, { decision: 'allow' })).html).to.include('name="password"');
      expectError(await poll(server, client, device.device_code), 'authorization_pending');
    });
  });

  describe('polling (sections 3.4 and 3.5)', () => {
    it('is authorization_pending until the user decides, and expired_token after that time', async () => {
      const device = await askFor(server, client);
      expectError(await poll(server, client, device.device_code), 'authorization_pending');
      server.clock.advance(599);
      expectError(await poll(server, client, device.device_code), 'authorization_pending');
      server.clock.advance(1);
      expectError(await poll(server, client, device.device_code), 'expired_token');
    });

    it('too soon is slow_down, and adds five seconds to the interval for good', async () => {
      const device = await askFor(server, client);
      const seen = [];
      for (const seconds of [0, 4, 9, 14, 15, 15, 14]) {
        server.clock.advance(seconds);
        seen.push((await poll(server, client, device.device_code)).body['error']);
      }
      // 5 s; 10 after the second; 15 after the third; 20 after the fourth, 25 after the fifth …
      expect(seen).to.deep.equal(['authorization_pending', ...Array<string>(6).fill('slow_down')]);
      server.clock.advance(35);
      expectError(await poll(server, client, device.device_code), 'authorization_pending');
      server.clock.advance(34);
      expectError(await poll(server, client, device.device_code), 'slow_down');
      await decide(server, device, user);
      expect((await poll(server, client, device.device_code)).status).to.equal(200);
    });

    it('keeps to DEVICE_POLL_INTERVAL', async () => {
      const quick = await startTestServer(await databases.create(), { DEVICE_POLL_INTERVAL: '1s' });
      try {
        const own = await deviceClient(quick);
        const device = await askFor(quick, own);
        expect(device.interval).to.equal(1);
        expectError(await poll(quick, own, device.device_code), 'authorization_pending');
        quick.clock.advance(1);
        expectError(await poll(quick, own, device.device_code), 'authorization_pending');
      } finally {
        await quick.close();
      }
    });

    it('expires when the device does not come for what was allowed', async () => {
      const device = await askFor(server, client);
      await decide(server, device, user);
      server.clock.advance(600);
      expectError(await poll(server, client, device.device_code), 'expired_token');
    });

    it('gives the same refresh token again while the answer may have been lost, and ends the grant when the code comes back later', async () => {
      const own = await deviceClient(server);
      const device = await askFor(server, own, { scope: 'api:read' });
      await decide(server, device, user);
      const first = await poll(server, own, device.device_code);
      server.clock.advance(10);
      const again = await poll(server, own, device.device_code);
      expect(again.status).to.equal(200);
      expect(again.body['refresh_token']).to.equal(first.body['refresh_token']);
      server.clock.advance(1);
      server.events.splice(0);
      expectError(await poll(server, own, device.device_code), 'invalid_grant');
      expect(server.events.map(({ event }) => event)).to.deep.equal(['deferred_request_reuse']);
      const [grant] = await grantsOf(own);
      expect(grant).to.include({ revocationReason: 'deferred_request_reuse', revokedAt: server.clock.now() });
      expect((await refresh(server, own, String(first.body['refresh_token']))).body.error).to.equal('invalid_grant');
    });

    it('ends the grant at once when the successor has been used before the code comes back', async () => {
      const own = await deviceClient(server);
      const device = await askFor(server, own);
      await decide(server, device, user);
      const { body } = await poll(server, own, device.device_code);
      await refresh(server, own, String(body['refresh_token']));
      expectError(await poll(server, own, device.device_code), 'invalid_grant');
      expect((await grantsOf(own))[0]?.revocationReason).to.equal('deferred_request_reuse');
    });

    it('uses nothing up when it is refused for another reason', async () => {
      const own = await deviceClient(server, { allowed_resources: ['https://one.example'] });
      const device = await askFor(server, own, { scope: 'api:read' });
      await decide(server, device, user);
      expectError(await poll(server, own, device.device_code, { resource: 'https://other.example' }), 'invalid_target');
      expect((await grantsOf(own))[0]).to.include({ generation: 0 });
      expect((await poll(server, own, device.device_code)).status).to.equal(200);
    });

    it('needs a device_code', async () => {
      expectError(await answerOf(server.post('/token', { grant_type: DEVICE_CODE_GRANT }, client)), 'invalid_request');
      expectError(await poll(server, client, 'made-up'), 'invalid_grant');
    });
  });

  describe('a key that the device proves to hold (RFC 9449)', () => {
    it('binds the device code when it was proven or named before, and no other key uses it', async () => {
      const key = await proofKey();
      const own = await deviceClient(server);
      const asked = await postWithProof(server, '/device_authorization', {}, own, await proofFor(server, key, '/device_authorization'));
      const device = asked.body as unknown as Awaited<ReturnType<typeof askFor>>;
      await decide(server, device, user);
      const form = { grant_type: DEVICE_CODE_GRANT, device_code: device.device_code };
      expectError(await poll(server, own, device.device_code), 'invalid_grant');
      const thief = await proofKey();
      expectError(await postWithProof(server, '/token', form, own, await proofFor(server, thief, '/token')), 'invalid_grant');
      const { status, body } = await postWithProof(server, '/token', form, own, await proofFor(server, key, '/token'));
      expect([status, body['token_type']]).to.deep.equal([200, 'DPoP']);
      expectError(await postWithProof(server, '/token', form, own, await proofFor(server, thief, '/token')), 'invalid_grant');
      expect((await grantsOf(own))[0]?.revokedAt).to.equal(undefined);
    });
  });

  describe('a login of a certain class', () => {
    it('asks for the second factor of a user who has one, and the tokens say so', async () => {
      const owner = await server.user();
      const { code } = await authenticatorFor(server, owner);
      const device = await askFor(server, client, { scope: 'openid', acr_values: TWO_FACTORS });
      const tab = browser(server);
      const page = await enterCode(server, device, owner, tab);
      expect(page.html).to.include('name="otp"').and.not.to.include('value="allow"');
      await tab.submit(await tab.submit(page, { otp: code() }), { decision: 'allow' });
      const { claims } = await readIdToken(server, client, (await poll(server, client, device.device_code)).body['id_token']);
      expect(claims).to.include({ acr: TWO_FACTORS });
    });

    it('that is too old is refreshed first (max_age)', async () => {
      const tab = browser(server);
      await decide(server, await askFor(server, client), user, 'deny', tab);
      server.clock.advance(30);
      const device = await askFor(server, client, { max_age: '20' });
      const page = await tab.submit(await tab.visit(device.verification_uri), { user_code: device.user_code });
      expect(page.html).to.include('name="password"');
    });
  });

  describe('a client that', () => {
    it('must sign its requests is refused: there is no signed form of this one', async () => {
      const jwks = { keys: [clientKeyPair('ES256').jwk] };
      const own = await deviceClient(server, { require_signed_request_object: true, jwks });
      expectError(await answerOf(server.post('/device_authorization', {}, own)), 'invalid_request');
    });

    it('must push its requests to the authorization endpoint may have devices all the same', async () => {
      const own = await deviceClient(server, { require_pushed_authorization_requests: true });
      expect(await connect(server, own, user)).to.include({ token_type: 'Bearer' });
    });

    it('is held to DPoP is given no token without a proof', async () => {
      const own = await deviceClient(server, { dpop_bound_access_tokens: true });
      const device = await askFor(server, own);
      await decide(server, device, user);
      expect((await poll(server, own, device.device_code)).status).to.equal(400);
      const form = { grant_type: DEVICE_CODE_GRANT, device_code: device.device_code };
      const { body } = await postWithProof(server, '/token', form, own, await proofFor(server, await proofKey(), '/token'));
      expect(body['token_type']).to.equal('DPoP');
    });
  });

  describe('registration', () => {
    it('cannot be allowed any more what the operator took from it while its user was at the page', async () => {
      const other = await deviceClient(server);
      const device = await askFor(server, other);
      const tab = browser(server);
      const page = await enterCode(server, device, user, tab);
      await server.registration.update(other.id, {
        grant_types: ['authorization_code'],
        redirect_uris: ['https://app.example/callback'],
        token_endpoint_auth_method: 'none',
      });
      await eventually(async () => {
        expectError(await poll(server, other, device.device_code), 'unauthorized_client');
      });
      const late = await tab.submit(page, { decision: 'allow' });
      expect([late.status, late.html.includes('may not ask in this way any more')]).to.deep.equal([400, true]);
      expect(await grantsOf(other)).to.deep.equal([]);
    });

    it('needs no redirect URI', async () => {
      const { record } = await server.registration.create({ grant_types: [DEVICE_CODE_GRANT] });
      expect(record.metadata).to.deep.include({ redirect_uris: [], response_types: [], grant_types: [DEVICE_CODE_GRANT] });
      expect(record.metadata.scope).to.include('openid');
    });

    it('is refused for a client with the profile fapi2', async () => {
      const metadata = { profile: 'fapi2', token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://app.example/jwks' };
      const refused = await server.registration
        .create({ ...metadata, grant_types: [DEVICE_CODE_GRANT] })
        .catch((error: unknown) => String(error));
      expect(refused).to.include(`grant_types: ${DEVICE_CODE_GRANT} is not for clients with the profile fapi2.`);
    });
  });

  it('leaves other pages as they are: a device’s request is decided by its own form alone', async () => {
    const device = await askFor(server, client);
    const page = await enterCode(server, device, user);
    expect(Object.keys(formWith(page, ['decision']).hidden)).to.have.members(['request', 'form_token']);
  });
});
