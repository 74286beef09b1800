import { expect } from 'chai';
import { createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import { browser, logIn } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { eventIn, type StreamManager, streamManager } from '../support/event-receiver.ts';
import { authenticatorFor } from '../support/second-factor.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

onEachDatabase('security events (CAEP 1.0, with RFC 8417 and RFC 9493)', (database) => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create());
  });
  after(() => server.close());

  it('are typed tokens with iss, aud, iat, jti and txn, signed, and with neither sub nor exp (SSF 1.0 section 5.1)', async () => {
    const manager = await streamManager(server);
    const { stream_id } = await manager.create();
    const user = await server.user();
    const { id_token = '' } = await logIn(server, manager.client, user);
    server.clock.advance(5);
    const changedAt = server.clock.now();
    await server.repositories.users.setPassword(user.id, 'hash', changedAt);
    server.clock.advance(5);
    const { sets } = await manager.poll(stream_id);
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
    const currentDate = new Date(server.clock.now() * 1000);
    const told = await Promise.all(
      Object.entries(sets).map(async ([jti, set]) => {
        const { payload } = await jwtVerify(set, keys, { typ: 'secevent+jwt', currentDate });
        expect(payload).to.deep.include({ jti, iss: server.issuer, aud: manager.client.id, iat: server.clock.now() });
        expect(Object.keys(payload)).to.have.members(['iss', 'aud', 'iat', 'jti', 'txn', 'sub_id', 'events']);
        return payload;
      }),
    );
    // One cause, two events of it.
    expect(new Set(told.map(({ txn }) => txn)).size).to.equal(1);
    const { sub, sid } = decodeJwt(id_token);
    const subject = { format: 'iss_sub', iss: server.issuer, sub };
    const why = {
      event_timestamp: changedAt,
      initiating_entity: 'admin',
      reason_admin: { en: 'The password of the user was set by an operator.' },
    };
    expect(told.map((claims) => [eventIn(claims), claims['sub_id']])).to.deep.equal([
      [{ type: 'credential-change', credential_type: 'password', change_type: 'update', ...why }, subject],
      [
        { type: 'session-revoked', ...why },
        { format: 'complex', user: subject, session: { format: 'opaque', id: sid } },
      ],
    ]);
  });

  it('session-revoked tells of a logout, as the user’s doing, to every client of the session and no other', async () => {
    const [one, two, stranger] = [await streamManager(server), await streamManager(server), await streamManager(server)];
    const streams = await Promise.all([one, two, stranger].map((manager) => manager.create()));
    const [user, other] = [await server.user(), await server.user()];
    const tab = browser(server);
    await logIn(server, one.client, user, {}, tab);
    await logIn(server, two.client, user, {}, tab);
    await logIn(server, stranger.client, other);
    await tab.submit(await tab.visit('/logout'), { decision: 'sign_out' });
    const told = await Promise.all(
      [one, two, stranger].map(async (manager, index) => (await manager.poll(streams[index]?.stream_id ?? '')).claims),
    );
    expect(told.map((claims) => claims.map((each) => eventIn(each).type))).to.deep.equal([['session-revoked'], ['session-revoked'], []]);
    expect(eventIn(told[0]?.[0])).to.include({ initiating_entity: 'user' });
  });

  const causes: Readonly<Record<string, (userId: string) => Promise<unknown>>> = {
    'a disabled user': (id) => server.repositories.users.disable(id, server.clock.now()),
    'a sign-out by the operator, grants and all': (id) => server.repositories.users.signOut(id, { grants: true }, server.clock.now()),
  };
  for (const [what, act] of Object.entries(causes)) {
    it(`session-revoked tells of ${what}`, async () => {
      const manager = await streamManager(server);
      const { stream_id } = await manager.create();
      const user = await server.user();
      await logIn(server, manager.client, user);
      await act(user.id);
      const { claims } = await manager.poll(stream_id);
      expect(claims.map((each) => [eventIn(each).type, eventIn(each)['initiating_entity']])).to.deep.equal([['session-revoked', 'admin']]);
    });
  }

  it('session-revoked tells of a session that another user takes the place of, and not of one that goes on', async () => {
    const manager = await streamManager(server);
    const { stream_id } = await manager.create();
    const [user, other] = [await server.user(), await server.user()];
    const tab = browser(server);
    const { id_token = '' } = await logIn(server, manager.client, user, {}, tab);
    await logIn(server, manager.client, user, { prompt: 'login' }, tab);
    expect((await manager.poll(stream_id)).claims).to.deep.equal([]);
    await logIn(server, manager.client, other, { prompt: 'login' }, tab);
    const { claims } = await manager.poll(stream_id);
    expect(claims).to.have.length(1);
    expect(claims[0]?.['sub_id']).to.deep.include({ session: { format: 'opaque', id: decodeJwt(id_token)['sid'] } });
  });

  it('credential-change tells of an authenticator that comes and goes', async () => {
    const manager = await streamManager(server);
    const { stream_id } = await manager.create({
      events_requested: ['https://schemas.openid.net/secevent/caep/event-type/credential-change'],
    });
    const user = await server.user();
    await logIn(server, manager.client, user);
    await authenticatorFor(server, user);
    await server.repositories.secondFactors.remove(user.id, server.clock.now());
    const { claims } = await manager.poll(stream_id);
    const told = claims
      .map(eventIn)
      .map(({ type, credential_type, change_type, initiating_entity }) => [type, credential_type, change_type, initiating_entity]);
    expect(told).to.deep.equal([
      ['credential-change', 'app', 'create', 'admin'],
      ['credential-change', 'app', 'delete', 'admin'],
    ]);
  });

  it('token-claims-change has the claims that are other now, null for those that are gone, and nothing the client was not granted', async () => {
    const [manager, narrow] = [await streamManager(server), await streamManager(server)];
    const [{ stream_id }, other] = [await manager.create(), await narrow.create()];
    const user = await server.user({ profile: { nickname: 'Al', website: 'https://al.example', zoneinfo: 'Asia/Seoul' } });
    await logIn(server, manager.client, user, { scope: 'openid profile' });
    await logIn(server, narrow.client, user, { scope: 'openid' });
    const { users } = server.repositories;
    await users.setProfile(user.id, { nickname: 'Alice', zoneinfo: 'Asia/Seoul', phone_number: '+82 2' }, server.clock.now());
    await users.setProfile(user.id, { nickname: 'Alice', zoneinfo: 'Asia/Seoul', phone_number: '+82 2' }, server.clock.now());
    await users.setAccessTokenClaims(user.id, { roles: ['owner'] }, server.clock.now());
    expect(await changes(manager, stream_id)).to.deep.equal([
      ['token-claims-change', { nickname: 'Alice', website: null }],
      ['token-claims-change', { roles: ['owner'] }],
    ]);
    expect(await changes(narrow, other.stream_id)).to.deep.equal([['token-claims-change', { roles: ['owner'] }]]);
    expect((await users.find(user.id))?.profile).to.deep.equal({ nickname: 'Alice', zoneinfo: 'Asia/Seoul', phone_number: '+82 2' });
  });

  it('name users and sessions as the client knows them, also where that is pairwise (RFC 9493 section 3.2.3)', async () => {
    const manager = await streamManager(server, { subject_type: 'pairwise', id_token_signed_response_alg: 'ES256' });
    const { stream_id } = await manager.create();
    const user = await server.user();
    const { id_token = '' } = await logIn(server, manager.client, user);
    await server.repositories.users.signOut(user.id, { grants: false }, server.clock.now());
    const { sets, claims } = await manager.poll(stream_id);
    const { sub, sid } = decodeJwt(id_token);
    expect(sub).not.to.equal(user.id);
    const subject = { user: { format: 'iss_sub', iss: server.issuer, sub }, session: { format: 'opaque', id: sid } };
    expect(claims[0]?.['sub_id']).to.deep.equal({ format: 'complex', ...subject });
    expect(JSON.stringify(claims)).not.to.include(user.id);
    const { protectedHeader } = await jwtVerify(Object.values(sets)[0] ?? '', createRemoteJWKSet(new URL(`${server.issuer}/jwks`)), {
      currentDate: new Date(server.clock.now() * 1000),
    });
    expect(protectedHeader.alg).to.equal('ES256');
  });

  it('are of the types the stream carries, and of users whose grant is alive or was made in a session that is', async () => {
    const manager = await streamManager(server);
    const { stream_id } = await manager.create({
      events_requested: ['https://schemas.openid.net/secevent/caep/event-type/credential-change'],
    });
    const [gone, present] = [await server.user(), await server.user()];
    await logIn(server, manager.client, gone);
    await logIn(server, manager.client, present);
    await server.repositories.users.signOut(gone.id, { grants: true }, server.clock.now());
    for (const { id } of [gone, present]) {
      await server.repositories.users.setPassword(id, 'hash', server.clock.now());
    }
    const { claims } = await manager.poll(stream_id);
    expect(claims.map((each) => [eventIn(each).type, (each['sub_id'] as { sub?: string }).sub])).to.deep.equal([
      ['credential-change', present.id],
    ]);
  });

  it('are not of users who were taken off the stream, until they are put back on; whoever is named, the answer is the same (SSF 1.0 section 8.1.3)', async () => {
    const manager = await streamManager(server, { subject_type: 'pairwise' });
    const { stream_id } = await manager.create();
    const user = await server.user();
    const { id_token = '' } = await logIn(server, manager.client, user);
    const named = (sub: unknown): object => ({ stream_id, subject: { format: 'iss_sub', iss: server.issuer, sub } });
    const { sub } = decodeJwt(id_token);
    const removed = await manager.send('POST', '/ssf/subjects/remove', named(sub));
    expect([removed.status, await removed.text()]).to.deep.equal([204, '']);
    expect((await manager.send('POST', '/ssf/subjects/remove', named(sub))).status).to.equal(204);
    expect((await manager.send('POST', '/ssf/subjects/remove', named('nobody'))).status).to.equal(204);
    await server.repositories.users.setPassword(user.id, 'hash', server.clock.now());
    expect((await manager.poll(stream_id)).claims).to.deep.equal([]);
    const added = await manager.send('POST', '/ssf/subjects/add', { ...named(sub), verified: true });
    expect([added.status, await added.text()]).to.deep.equal([200, '']);
    await authenticatorFor(server, user);
    expect((await manager.poll(stream_id)).claims.map((each) => eventIn(each).type)).to.deep.equal(['credential-change']);
    for (const subject of [
      undefined,
      { format: 'email', email: 'a@example.com' },
      { format: 'iss_sub', iss: 'https://other.example', sub },
      { format: 'iss_sub', iss: server.issuer },
    ]) {
      expect((await manager.send('POST', '/ssf/subjects/add', { stream_id, subject })).status).to.equal(400);
    }
    expect((await manager.send('POST', '/ssf/subjects/remove', { ...named(sub), stream_id: 'none' })).status).to.equal(404);
  });
});

async function changes(of: StreamManager, id: string): Promise<readonly unknown[]> {
  return (await of.poll(id)).claims.map(eventIn).map(({ type, claims }) => [type, claims]);
}
