import { expect } from 'chai';
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose';
import type { GrantFilter } from '../../src/grants/grants.ts';
import { type Browser, browser, codeRequest, logIn, refresh, type TokenBody } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { encryptionPair, opened } from '../support/encryption.ts';
import { type LogoutReceiver, startLogoutReceiver } from '../support/logout-receiver.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';

// A delivery that is in hand is due again after this many seconds.
const LEASE = 30;
const EVENT = 'http://schemas.openid.net/event/backchannel-logout';

onEachDatabase('back-channel logout (OpenID Connect Back-Channel Logout 1.0)', (database) => {
  let server: TestServer;
  let receiver: LogoutReceiver;
  before(async () => {
    server = await startTestServer(await database.create(), { OUTBOUND_PRIVATE_ADDRESSES: 'on' });
  });
  after(() => server.close());
  beforeEach(async () => {
    receiver = await startLogoutReceiver();
  });
  afterEach(() => receiver.close());

  const client = (metadata: Readonly<Record<string, unknown>> = {}): Promise<TestClient> =>
    server.client({
      skip_consent: true,
      backchannel_logout_uri: receiver.uri,
      backchannel_logout_session_required: true,
      ...metadata,
    });

  async function tokensIn(tab: Browser, of: TestClient, user: TestUser, more: Readonly<Record<string, string>> = {}): Promise<Tokens> {
    return (await logIn(server, of, user, { scope: 'openid api:read', ...more }, tab)) as Tokens;
  }

  const liveGrants = async (filter: GrantFilter): Promise<number> =>
    (await server.repositories.grants.list(filter, { limit: 10 })).filter(({ revokedAt }) => revokedAt === undefined).length;

  /** Waits until the attempt that has just reached a client is noted: seconds to the next one, undefined when there is none. */
  async function noted(): Promise<number | undefined> {
    for (;;) {
      const due = await server.repositories.deliveries.nextDueAt();
      const wait = due === undefined ? undefined : due - server.clock.now();
      if (wait === undefined || (wait > 0 && wait < LEASE)) {
        return wait;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  it('oidcc-backchannel-rp-initiated-logout-discovery: is announced, with sid (section 2.1)', async () => {
    const metadata = (await (await server.get('/.well-known/openid-configuration')).json()) as Record<string, unknown>;
    expect(metadata).to.include({ backchannel_logout_supported: true, backchannel_logout_session_supported: true });
  });

  it('oidcc-backchannel-rp-initiated-logout: posts a signed logout token when the user logs out (sections 2.4 and 2.5)', async () => {
    const own = await client();
    const user = await server.user();
    const tab = browser(server);
    const { id_token } = await tokensIn(tab, own, user, { nonce: 'n' });
    await tab.visit(`/logout?id_token_hint=${id_token}`);
    await receiver.times(1);
    const [told] = receiver.received;
    expect(told?.method).to.equal('POST');
    expect(told?.contentType).to.equal('application/x-www-form-urlencoded');
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
    const currentDate = new Date(server.clock.now() * 1000);
    const { payload, protectedHeader } = await jwtVerify(told?.token ?? '', keys, { typ: 'logout+jwt', currentDate });
    expect(protectedHeader.alg).to.equal(decodeProtectedHeader(id_token).alg);
    const { jti, ...claims } = payload;
    const now = server.clock.now();
    const { sub, sid } = decodeJwt(id_token);
    expect(claims).to.deep.equal({ iss: server.issuer, aud: own.id, iat: now, exp: now + 120, sub, sid, events: { [EVENT]: {} } });
    expect(jti).to.be.a('string').and.not.equal('');
    const { url } = await tab.visit(codeRequest(server, own, { prompt: 'none', scope: 'openid' }).url);
    expect(url.searchParams.get('error')).to.equal('login_required');
    expect(await noted()).to.equal(undefined);
  });

  it('is encrypted where the client’s ID tokens are, with iss outside as well (sections 2.4 and 2.6)', async () => {
    const pair = encryptionPair();
    const own = await client({ jwks: { keys: [pair.jwk] }, id_token_encrypted_response_alg: 'ECDH-ES+A256KW' });
    const user = await server.user();
    const tab = browser(server);
    await tokensIn(tab, own, user);
    await signOut(tab);
    await receiver.times(1);
    const { header, text } = await opened(receiver.received[0]?.token, pair);
    expect(header).to.include({ alg: 'ECDH-ES+A256KW', cty: 'JWT', iss: server.issuer, kid: pair.kid });
    const currentDate = new Date(server.clock.now() * 1000);
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
    const { payload } = await jwtVerify(text, keys, { typ: 'logout+jwt', currentDate });
    expect(payload).to.include({ aud: own.id, sub: user.id });
    expect(await noted()).to.equal(undefined);
  });

  it('signs with the algorithm of the client’s ID tokens, and names pairwise users and sessions as they do', async () => {
    const own = await client({ id_token_signed_response_alg: 'ES256', subject_type: 'pairwise' });
    const user = await server.user();
    const tab = browser(server);
    const { id_token } = await tokensIn(tab, own, user);
    await signOut(tab);
    await receiver.times(1);
    const { sub, sid } = decodeJwt(id_token);
    expect(sub).not.to.equal(user.id);
    expect(receiver.received[0]?.claims).to.include({ sub, sid });
    expect(decodeProtectedHeader(receiver.received[0]?.token ?? '').alg).to.equal('ES256');
  });

  it('tells every client of the session once, and no other client, session or user (section 2.3)', async () => {
    const [one, two, quiet] = [await client(), await client(), await server.client({ skip_consent: true })];
    const [user, other] = [await server.user(), await server.user()];
    const [tab, elsewhere, stranger] = [browser(server), browser(server), browser(server)];
    await tokensIn(tab, one, user);
    await tokensIn(tab, one, user);
    await tokensIn(tab, two, user);
    await tokensIn(tab, quiet, user);
    await tokensIn(elsewhere, one, user);
    await tokensIn(stranger, one, other);
    await signOut(tab);
    await receiver.times(2);
    expect(await noted()).to.equal(undefined);
    expect(receiver.received.map(({ claims }) => claims.aud)).to.have.members([one.id, two.id]);
    expect(new Set(receiver.received.map(({ claims }) => claims.jti)).size).to.equal(2);
  });

  it('reaches the clients of an earlier login of the same user in the same browser, by the sid they know', async () => {
    const [first, second] = [await client(), await client()];
    const user = await server.user();
    const tab = browser(server);
    const before = decodeJwt((await tokensIn(tab, first, user)).id_token);
    const after = decodeJwt((await tokensIn(tab, second, user, { prompt: 'login' })).id_token);
    expect(after['sid']).to.equal(before['sid']);
    expect(receiver.received).to.deep.equal([]);
    await signOut(tab);
    await receiver.times(2);
    expect(receiver.received.map(({ claims }) => claims['sid'])).to.deep.equal([before['sid'], before['sid']]);
  });

  it('tells of the end of a session when another user logs in in that browser', async () => {
    const own = await client();
    const [user, other] = [await server.user(), await server.user()];
    const tab = browser(server);
    const { id_token } = await tokensIn(tab, own, user);
    await tokensIn(tab, own, other, { prompt: 'login' });
    await receiver.times(1);
    expect(receiver.received[0]?.claims).to.include({ sub: user.id, sid: decodeJwt(id_token)['sid'] });
  });

  for (const [name, end] of [
    ['is disabled', (id: string) => server.repositories.users.disable(id, server.clock.now())],
    ['gets a new password', (id: string) => server.repositories.users.setPassword(id, 'hash', server.clock.now())],
    ['is signed out everywhere', (id: string) => server.repositories.users.signOut(id, { grants: false }, server.clock.now())],
  ] as const) {
    it(`tells the clients of all sessions when a user ${name}`, async () => {
      const own = await client();
      const user = await server.user();
      const sids = [];
      for (const tab of [browser(server), browser(server)]) {
        sids.push(decodeJwt((await tokensIn(tab, own, user)).id_token)['sid']);
      }
      await end(user.id);
      await receiver.times(2);
      expect(receiver.received.map(({ claims }) => claims['sid'])).to.have.members(sids);
    });
  }

  it('still knows the client when its grant has been over for long, as long as the session lasts', async () => {
    const own = await client({ grant_types: ['authorization_code'], access_token_ttl: 60 });
    const user = await server.user();
    const tab = browser(server);
    await tokensIn(tab, own, user);
    const [grant] = await server.repositories.grants.list({ clientId: own.id }, { limit: 1 });
    await server.repositories.grants.revoke(grant?.id ?? '', 'client_request', server.clock.now());
    await signOut(tab);
    await receiver.times(1);
  });

  it('tries again, with the same jti and a fresh token, until the client has taken it (section 2.8: 200, or 204)', async () => {
    const own = await client();
    const tab = browser(server);
    await tokensIn(tab, own, await server.user());
    const answers = [500, 400, 204];
    receiver.answer((_, response) => response.writeHead(answers.shift() ?? 200).end());
    await signOut(tab);
    await receiver.times(1);
    expect(await noted()).to.equal(1);
    server.clock.advance(1);
    await receiver.times(2);
    expect(await noted()).to.equal(2);
    server.clock.advance(2);
    await receiver.times(3);
    expect(await noted()).to.equal(undefined);
    const claims = receiver.received.map((told) => told.claims);
    expect(new Set(claims.map(({ jti }) => jti)).size).to.equal(1);
    expect(claims.map(({ iat = 0 }) => iat - (claims[0]?.iat ?? 0))).to.deep.equal([0, 1, 3]);
    expect(claims.map(({ exp = 0, iat = 0 }) => exp - iat)).to.deep.equal([120, 120, 120]);
  });

  it('tells a client where it is registered now, and not one that is gone', async () => {
    const former = await startLogoutReceiver();
    former.answer((_, response) => response.writeHead(404).end());
    const [moved, gone] = [await client({ backchannel_logout_uri: former.uri }), await client()];
    const user = await server.user();
    const tab = browser(server);
    await tokensIn(tab, moved, user);
    await tokensIn(tab, gone, user);
    await server.repositories.clientStore.delete(gone.id);
    await signOut(tab);
    await former.times(1);
    const record = await server.repositories.clientStore.find(moved.id);
    await server.registration.update(moved.id, { ...record?.metadata, backchannel_logout_uri: receiver.uri });
    for (let wait = await noted(); wait !== undefined; wait = await noted()) {
      server.clock.advance(wait);
    }
    expect(receiver.received.map(({ claims }) => claims.aud)).to.deep.equal([moved.id]);
    await former.close();
  });

  describe('and the grants of the session (section 2.7)', () => {
    it('live on by default', async () => {
      const own = await client();
      const user = await server.user();
      const tab = browser(server);
      const { refresh_token } = await tokensIn(tab, own, user);
      await signOut(tab);
      expect((await refresh(server, own, refresh_token)).status).to.equal(200);
    });

    it('end with it for a client with revoke_grants_on_logout, in that session alone', async () => {
      const own = await client({ revoke_grants_on_logout: true });
      const user = await server.user();
      const [tab, elsewhere] = [browser(server), browser(server)];
      const { refresh_token, access_token } = await tokensIn(tab, own, user);
      const kept = await tokensIn(elsewhere, own, user);
      await signOut(tab);
      expect((await refresh(server, own, refresh_token)).body.error).to.equal('invalid_grant');
      expect(await (await server.post('/introspect', { token: access_token }, own)).json()).to.deep.equal({ active: false });
      const grants = await server.repositories.grants.list({ clientId: own.id }, { limit: 10 });
      expect(grants.map(({ revocationReason }) => revocationReason)).to.have.members(['logout', undefined]);
      expect((await refresh(server, own, kept.refresh_token)).status).to.equal(200);
    });

    it('live on with offline_access in any case', async () => {
      const own = await client({ revoke_grants_on_logout: true, scope: 'openid offline_access', skip_consent: false });
      const user = await server.user();
      const tab = browser(server);
      const { refresh_token } = await tokensIn(tab, own, user, { scope: 'openid offline_access', prompt: 'consent' });
      await signOut(tab);
      expect((await refresh(server, own, refresh_token)).status).to.equal(200);
    });

    it('end, all of them, when a user is signed out everywhere with --grants', async () => {
      const own = await client({ backchannel_logout_uri: undefined });
      const user = await server.user();
      const tab = browser(server);
      await tokensIn(tab, own, user);
      const ended = await server.repositories.users.signOut(user.id, { grants: true }, server.clock.now());
      expect(ended).to.deep.equal({ sessions: 1, grants: 1 });
      expect(await liveGrants({ userId: user.id })).to.equal(0);
      expect(await server.repositories.users.signOut(user.id, { grants: true }, server.clock.now())).to.deep.equal({
        sessions: 0,
        grants: 0,
      });
    });
  });
});

type Tokens = TokenBody & { readonly id_token: string };

async function signOut(tab: Browser): Promise<void> {
  const page = await tab.submit(await tab.visit('/logout'), { decision: 'sign_out' });
  expect(page.html).to.include('You are signed out');
}
