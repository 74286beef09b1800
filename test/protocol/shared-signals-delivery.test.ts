import { expect } from 'chai';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { logIn } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type EventReceiver, eventIn, type StreamManager, startEventReceiver, streamManager } from '../support/event-receiver.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

// A delivery that is in hand is due again after this many seconds.
const LEASE = 30;
const WEEK = 7 * 86_400;
const UPDATED = 'https://schemas.openid.net/secevent/ssf/event-type/stream-updated';

onEachDatabase('delivery of security events (RFC 8935 and RFC 8936, SSF 1.0 section 6)', (database) => {
  let server: TestServer;
  let receiver: EventReceiver;
  before(async () => {
    server = await startTestServer(await database.create(), { OUTBOUND_PRIVATE_ADDRESSES: 'on' });
  });
  after(() => server.close());
  beforeEach(async () => {
    receiver = await startEventReceiver();
  });
  afterEach(() => receiver.close());

  const push = (more: object = {}): object => ({ delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: receiver.uri, ...more } });
  const eventStreams = () => server.repositories.eventStreams;

  /** A user of the receiver, logged in, and something that happens to it. */
  async function happening(manager: StreamManager): Promise<() => Promise<unknown>> {
    const user = await server.user();
    await logIn(server, manager.client, user);
    return () => server.repositories.users.setAccessTokenClaims(user.id, { roles: [String(Math.random())] }, server.clock.now());
  }

  /** Waits until what has just reached a receiver is noted: seconds to the next attempt, undefined when there is none. */
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

  it('pushes a token by POST, as application/secevent+jwt, with the receiver’s Authorization, and is done with 202 (RFC 8935 section 2)', async () => {
    const manager = await streamManager(server);
    const { stream_id } = await manager.create(push({ authorization_header: 'Bearer of good news' }));
    await (await happening(manager))();
    await receiver.times(1);
    const [told] = receiver.received;
    expect(told?.headers).to.include({
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      authorization: 'Bearer of good news',
    });
    const keys = createRemoteJWKSet(new URL(`${server.issuer}/jwks`));
    await jwtVerify(told?.token ?? '', keys, { typ: 'secevent+jwt', currentDate: new Date(server.clock.now() * 1000) });
    expect(told?.claims.aud).to.equal(manager.client.id);
    expect(await noted()).to.equal(undefined);
    expect(await eventStreams().pending(stream_id, 10)).to.deep.equal([]);
  });

  for (const status of [200, 204, 302, 400, 401, 500]) {
    it(`comes again after ${status}, with the same jti and signed anew`, async () => {
      const manager = await streamManager(server);
      await manager.create(push());
      receiver.answer((_, response) => response.writeHead(status, { location: receiver.uri }).end());
      await (await happening(manager))();
      await receiver.times(1);
      expect(await noted()).to.equal(1);
      receiver.answer((_, response) => response.writeHead(202).end());
      server.clock.advance(1);
      await receiver.times(2);
      expect(await noted()).to.equal(undefined);
      const [first, second] = receiver.received;
      expect(second?.claims.jti).to.equal(first?.claims.jti);
      expect(second?.claims.iat).to.equal((first?.claims.iat ?? 0) + 1);
    });
  }

  it('is given up where the receiver says 400 and why, and the audit trail says so (RFC 8935 section 2.3)', async () => {
    const manager = await streamManager(server);
    const { stream_id } = await manager.create(push());
    receiver.answer((_, response) =>
      response.writeHead(400, { 'content-type': 'application/json' }).end('{"err":"invalid_key","description":"?"}'),
    );
    await (await happening(manager))();
    await receiver.times(1);
    expect(await noted()).to.equal(undefined);
    expect(await eventStreams().pending(stream_id, 10)).to.deep.equal([]);
    const refused = server.events.findLast(({ event }) => event === 'delivery_refused')?.fields;
    expect(refused).to.include({ clientId: manager.client.id, kind: 'security_event', reason: 'the receiver refuses it: invalid_key' });
  });

  it('is polled until it is acknowledged, by whatever request (RFC 8936 sections 2.2 to 2.4)', async () => {
    const manager = await streamManager(server);
    const { stream_id } = await manager.create();
    const happens = await happening(manager);
    expect(await manager.poll(stream_id, {})).to.deep.equal({ sets: {}, claims: [] });
    for (let count = 0; count < 3; count++) {
      await happens();
    }
    const first = await manager.poll(stream_id, { maxEvents: 2 });
    expect(first.claims).to.have.length(2);
    expect(first.moreAvailable).to.equal(true);
    const again = await manager.poll(stream_id, { maxEvents: 2, returnImmediately: true });
    expect(Object.keys(again.sets)).to.deep.equal(Object.keys(first.sets));
    // To acknowledge and nothing else.
    expect(await manager.poll(stream_id, { ack: Object.keys(first.sets), maxEvents: 0 })).to.deep.equal({
      sets: {},
      moreAvailable: true,
      claims: [],
    });
    const rest = await manager.poll(stream_id);
    expect(rest.claims).to.have.length(1);
    expect(rest).not.to.have.property('moreAvailable');
    expect(Object.keys(rest.sets)).not.to.have.members(Object.keys(first.sets));
    expect(await manager.poll(stream_id, { ack: [...Object.keys(rest.sets), 'unknown'] })).to.deep.equal({ sets: {}, claims: [] });
  });

  it('is gone, and in the audit trail, when the receiver reports an error by a poll (RFC 8936 section 2.4.4)', async () => {
    const manager = await streamManager(server);
    const { stream_id } = await manager.create();
    await (await happening(manager))();
    const [jti = ''] = Object.keys((await manager.poll(stream_id)).sets);
    const setErrs = { [jti]: { err: 'invalid_audience', description: 'not mine' }, unknown: { err: 'x' } };
    expect((await manager.poll(stream_id, { setErrs })).sets).to.deep.equal({});
    const reported = server.events.filter(({ event }) => event === 'security_event_refused').map(({ fields }) => fields);
    expect(reported).to.deep.equal([
      { clientId: manager.client.id, streamId: stream_id, eventId: jti, err: 'invalid_audience', description: 'not mine' },
    ]);
  });

  for (const body of [
    { maxEvents: -1 },
    { maxEvents: 'all' },
    { returnImmediately: 'yes' },
    { ack: 'x' },
    { setErrs: [] },
    { setErrs: { x: 'y' } },
  ]) {
    it(`refuses a poll with ${JSON.stringify(body)}, and acknowledges nothing`, async () => {
      const manager = await streamManager(server);
      const { stream_id } = await manager.create();
      await (await happening(manager))();
      const [jti = ''] = Object.keys((await manager.poll(stream_id)).sets);
      const answer = await manager.send('POST', `/ssf/poll?stream_id=${stream_id}`, { ack: [jti], ...body });
      expect(answer.status).to.equal(400);
      expect(Object.keys((await manager.poll(stream_id)).sets)).to.deep.equal([jti]);
    });
  }

  it('waits while the stream is paused, pushed or polled, and goes on when it is enabled (SSF 1.0 section 8.1.2)', async () => {
    const manager = await streamManager(server);
    const [polled, pushed] = [await manager.create(), await manager.create(push())];
    const happens = await happening(manager);
    const setStatus = async (status: string): Promise<void> => {
      for (const { stream_id } of [polled, pushed]) {
        expect((await manager.send('POST', '/ssf/status', { stream_id, status })).status).to.equal(200);
      }
    };
    await setStatus('paused');
    await happens();
    expect((await manager.poll(polled.stream_id)).sets).to.deep.equal({});
    expect(await noted()).to.equal(undefined);
    expect(receiver.received).to.deep.equal([]);
    await setStatus('enabled');
    await receiver.times(1);
    expect((await manager.poll(polled.stream_id)).claims).to.have.length(1);
    expect(await noted()).to.equal(undefined);
  });

  it('is dropped while the client may not be a receiver any more, and others are told', async () => {
    const [manager, other] = [await streamManager(server), await streamManager(server)];
    const ofOther = await startEventReceiver();
    const { stream_id } = await manager.create(push());
    await other.create({ delivery: { method: 'urn:ietf:rfc:8935', endpoint_url: ofOther.uri } });
    const happens = await happening(manager);
    const scopeOf = async (scope: (before: string | undefined) => string): Promise<void> => {
      const record = await server.repositories.clientStore.find(manager.client.id);
      if (record === undefined) {
        throw new Error('no client');
      }
      await server.repositories.clientStore.replace({ ...record, metadata: { ...record.metadata, scope: scope(record.metadata.scope) } });
    };
    const before = (await server.repositories.clientStore.find(manager.client.id))?.metadata.scope ?? '';
    await scopeOf(() => 'api:read');
    // Until the server has it.
    while ((await manager.send('GET', '/ssf/streams')).status !== 403) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await happens();
    await (await happening(other))();
    await ofOther.times(1);
    await ofOther.close();
    expect(receiver.received).to.deep.equal([]);
    await scopeOf(() => before);
    while ((await manager.send('GET', '/ssf/streams')).status !== 200) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    await happens();
    await receiver.times(1);
    expect(await noted()).to.equal(undefined);
    expect(await eventStreams().pending(stream_id, 10)).to.deep.equal([]);
  });

  it('waits where an attempt failed before the pause, and comes when it is over, once', async () => {
    const manager = await streamManager(server);
    const { stream_id } = await manager.create(push());
    receiver.answer((_, response) => response.writeHead(503).end());
    await (await happening(manager))();
    await receiver.times(1);
    expect(await noted()).to.equal(1);
    await manager.send('POST', '/ssf/status', { stream_id, status: 'paused' });
    expect(await noted()).to.equal(undefined);
    receiver.answer((_, response) => response.writeHead(202).end());
    server.clock.advance(60);
    await manager.send('POST', '/ssf/status', { stream_id, status: 'enabled' });
    await receiver.times(2);
    expect(await noted()).to.equal(undefined);
    expect(receiver.received).to.have.length(2);
  });

  it('is dropped where the stream is disabled, and what waited is too', async () => {
    const manager = await streamManager(server);
    const { stream_id } = await manager.create();
    const happens = await happening(manager);
    await happens();
    await manager.send('POST', '/ssf/status', { stream_id, status: 'disabled' });
    await happens();
    expect((await manager.send('POST', '/ssf/verify', { stream_id })).status).to.equal(400);
    await manager.send('POST', '/ssf/status', { stream_id, status: 'enabled' });
    expect((await manager.poll(stream_id)).sets).to.deep.equal({});
    await happens();
    expect((await manager.poll(stream_id)).claims).to.have.length(1);
  });

  it('goes the new way where the method changes while it waits', async () => {
    const manager = await streamManager(server);
    const { stream_id } = await manager.create();
    await (await happening(manager))();
    await manager.send('PATCH', '/ssf/streams', { stream_id, ...push() });
    await receiver.times(1);
    expect(await noted()).to.equal(undefined);
    expect((await manager.send('POST', `/ssf/poll?stream_id=${stream_id}`, {})).status).to.equal(400);
  });

  it('keeps the Authorization for the address it is for, and never sends it to another', async () => {
    const manager = await streamManager(server);
    const elsewhere = await startEventReceiver();
    const { stream_id } = await manager.create(push({ authorization_header: 'Bearer secret' }));
    const happens = await happening(manager);
    await manager.send('PATCH', '/ssf/streams', { stream_id, ...push() });
    await happens();
    await receiver.times(1);
    await manager.send('PATCH', '/ssf/streams', { stream_id, ...push({ endpoint_url: elsewhere.uri }) });
    await happens();
    await elsewhere.times(1);
    expect(receiver.received[0]?.headers.authorization).to.equal('Bearer secret');
    expect(elsewhere.received[0]?.headers).not.to.have.property('authorization');
    await elsewhere.close();
  });

  it('is kept for a week, ten thousand to a stream at most, and who lost what is known', async () => {
    const manager = await streamManager(server);
    const [old, full] = [await manager.create(), await manager.create()];
    await (await happening(manager))();
    const clientId = manager.client.id;
    // Other tests' events are dropped as well.
    const dropped = async (now: number, most: number): Promise<readonly unknown[]> =>
      (await eventStreams().dropExcess(now, most)).filter((each) => each.clientId === clientId);
    const now = server.clock.now();
    expect(await dropped(now + WEEK, 1)).to.deep.equal([]);
    await manager.send('POST', '/ssf/verify', { stream_id: full.stream_id });
    expect(await dropped(now, 1)).to.deep.equal([{ streamId: full.stream_id, clientId, count: 1, reason: 'too many' }]);
    // The oldest goes.
    expect((await manager.poll(full.stream_id)).claims.map((each) => eventIn(each).type)).to.deep.equal(['verification']);
    const lost = [old, full].map(({ stream_id: streamId }) => ({ streamId, clientId, count: 1, reason: 'too old' }));
    expect(await dropped(now + WEEK + 1, 10)).to.have.deep.members(lost);
  });

  it('tells of a status that the operator sets, also on a stream that stops by it (SSF 1.0 section 8.1.5)', async () => {
    const manager = await streamManager(server);
    const [polled, pushed] = [await manager.create({ events_requested: [] }), await manager.create(push())];
    const { streamUpdatedEvent } = await import('../../src/signals/stream-events.ts');
    for (const { stream_id: id } of [polled, pushed]) {
      const stream = { id, clientId: manager.client.id };
      const told = streamUpdatedEvent(stream, 'paused', 'maintenance', server.clock.now());
      expect(await eventStreams().setStatus(stream, { status: 'paused', reason: 'maintenance' }, told)).to.equal(true);
    }
    await receiver.times(1);
    const { claims } = await manager.poll(polled.stream_id);
    for (const [id, each] of [
      [polled.stream_id, claims[0]],
      [pushed.stream_id, receiver.received[0]?.claims],
    ] as const) {
      expect(each).to.deep.include({
        sub_id: { format: 'opaque', id },
        events: { [UPDATED]: { status: 'paused', reason: 'maintenance' } },
      });
    }
    const status = await manager.send('GET', `/ssf/status?stream_id=${polled.stream_id}`);
    expect(await status.json()).to.deep.equal({ stream_id: polled.stream_id, status: 'paused', reason: 'maintenance' });
  });
});
