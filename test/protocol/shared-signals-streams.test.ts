import { expect } from 'chai';
import { onEachDatabase } from '../support/databases.ts';
import { type EventReceiver, eventIn, startEventReceiver, streamManager } from '../support/event-receiver.ts';
import { startTestServer, type TestServer } from '../support/test-server.ts';

const CAEP = 'https://schemas.openid.net/secevent/caep/event-type';
const PUSH = 'urn:ietf:rfc:8935';
const POLL = 'urn:ietf:rfc:8936';

onEachDatabase('event streams (OpenID Shared Signals Framework 1.0 sections 7 and 8)', (database) => {
  let server: TestServer;
  let receiver: EventReceiver;
  before(async () => {
    server = await startTestServer(await database.create(), { OUTBOUND_PRIVATE_ADDRESSES: 'on' });
    receiver = await startEventReceiver();
  });
  after(async () => {
    await server.close();
    await receiver.close();
  });

  const push = (more: object = {}): object => ({ method: PUSH, endpoint_url: receiver.uri, ...more });

  it('are announced by the transmitter configuration metadata (section 7.1)', async () => {
    const answer = await server.get('/.well-known/ssf-configuration');
    expect(answer.headers.get('content-type')).to.equal('application/json');
    const { issuer } = server;
    expect(await answer.json()).to.deep.equal({
      spec_version: '1_0',
      issuer,
      jwks_uri: `${issuer}/jwks`,
      delivery_methods_supported: [PUSH, POLL],
      configuration_endpoint: `${issuer}/ssf/streams`,
      status_endpoint: `${issuer}/ssf/status`,
      add_subject_endpoint: `${issuer}/ssf/subjects/add`,
      remove_subject_endpoint: `${issuer}/ssf/subjects/remove`,
      verification_endpoint: `${issuer}/ssf/verify`,
      critical_subject_members: ['user'],
      authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6749' }, { spec_urn: 'urn:ietf:rfc:9449' }],
      default_subjects: 'ALL',
    });
  });

  it('are made with what the receiver supplies, and told with what the transmitter decides (section 8.1.1.1)', async () => {
    const { client, send } = await streamManager(server);
    const requested = [`${CAEP}/session-revoked`, 'https://example.com/unknown'];
    const answer = await send('POST', '/ssf/streams', {
      delivery: push({ authorization_header: 'Bearer secret' }),
      events_requested: requested,
      description: 'Mine',
      stream_id: 'chosen',
    });
    expect(answer.status).to.equal(201);
    const { stream_id: id, ...document } = (await answer.json()) as Record<string, unknown>;
    expect(id).to.match(/^[0-9a-v]{26}$/);
    expect(document).to.deep.equal({
      iss: server.issuer,
      aud: client.id,
      delivery: push(),
      events_supported: ['session-revoked', 'token-claims-change', 'credential-change'].map((name) => `${CAEP}/${name}`),
      events_requested: requested,
      events_delivered: [`${CAEP}/session-revoked`],
      min_verification_interval: 60,
      description: 'Mine',
    });
  });

  it('are polled at an address of their own unless something else is asked for, and carry all events', async () => {
    const { create } = await streamManager(server);
    const [one, two] = [await create(), await create({ delivery: { method: POLL } })];
    expect(one.delivery).to.deep.equal({ method: POLL, endpoint_url: `${server.issuer}/ssf/poll?stream_id=${one.stream_id}` });
    expect(two.delivery.endpoint_url).not.to.equal(one.delivery.endpoint_url);
    expect(one.events_delivered).to.have.length(3);
    expect(one).not.to.have.property('events_requested');
  });

  it('are ten at most of one receiver, also when many are asked for at once', async () => {
    const { send } = await streamManager(server);
    const answers = await Promise.all(Array.from({ length: 14 }, async () => (await send('POST', '/ssf/streams', {})).status));
    expect(answers.filter((status) => status === 201)).to.have.length(10);
    expect(answers.filter((status) => status === 409)).to.have.length(4);
  });

  it('are read one by one, or all of the receiver, or an empty list (section 8.1.1.2)', async () => {
    const { create, send } = await streamManager(server);
    expect(await (await send('GET', '/ssf/streams')).json()).to.deep.equal([]);
    const stream = await create({ description: 'one' });
    const other = await create();
    expect(await (await send('GET', '/ssf/streams')).json()).to.deep.equal([stream, other]);
    expect(await (await send('GET', `/ssf/streams?stream_id=${stream.stream_id}`)).json()).to.deep.equal(stream);
  });

  it('change in what a PATCH names, and in nothing else (section 8.1.1.3)', async () => {
    const { create, send } = await streamManager(server);
    const stream = await create({ description: 'before', delivery: push(), events_requested: [`${CAEP}/credential-change`] });
    const answer = await send('PATCH', '/ssf/streams', { stream_id: stream.stream_id, iss: server.issuer, description: 'after' });
    expect(answer.status).to.equal(200);
    expect(await answer.json()).to.deep.equal({ ...stream, description: 'after' });
  });

  it('lose in a PUT what it does not name (section 8.1.1.4)', async () => {
    const { create, send } = await streamManager(server);
    const { description, ...stream } = await create({ description: 'before', delivery: push(), events_requested: [] });
    const answer = await send('PUT', '/ssf/streams', { stream_id: stream.stream_id, delivery: push() });
    expect(answer.status).to.equal(200);
    const { events_requested: _, ...rest } = stream;
    expect(await answer.json()).to.deep.equal({ ...rest, events_delivered: rest['events_supported'] });
    expect(description).to.equal('before');
  });

  it('keep both of two changes at once', async () => {
    const { create, send } = await streamManager(server);
    const { stream_id } = await create();
    const wanted = { description: 'both', events_requested: [`${CAEP}/credential-change`] };
    await Promise.all(Object.entries(wanted).map(([name, value]) => send('PATCH', '/ssf/streams', { stream_id, [name]: value })));
    expect(await (await send('GET', `/ssf/streams?stream_id=${stream_id}`)).json())
      .to.include({ description: 'both' })
      .and.deep.include(wanted);
  });

  for (const [what, members] of Object.entries({
    'another iss': { iss: 'https://elsewhere.example' },
    'another aud': { aud: 'somebody' },
    'other events_delivered': { events_delivered: [] },
    'another poll address': { delivery: { method: POLL, endpoint_url: 'https://elsewhere.example' } },
    'an unknown method': { delivery: { method: 'urn:example:pigeon' } },
    'a push without an address': { delivery: { method: PUSH } },
    'an address with a password': { delivery: { method: PUSH, endpoint_url: 'https://a:b@receiver.example/' } },
    'an address that is none': { delivery: { method: PUSH, endpoint_url: 'receiver' } },
    'a header of two lines': { delivery: { method: PUSH, endpoint_url: 'https://receiver.example/', authorization_header: 'a\r\nb: c' } },
    'a text that is a number': { description: 7 },
    'events that are no list': { events_requested: 'all' },
    'a NUL': { description: 'a\0b' },
  })) {
    it(`refuse a change with ${what} as 400, and stay as they are`, async () => {
      const { create, send } = await streamManager(server);
      const stream = await create({ description: 'before' });
      const answer = await send('PATCH', '/ssf/streams', { stream_id: stream.stream_id, description: 'after', ...members });
      expect(answer.status).to.equal(400);
      expect(await answer.json()).to.include({ error: 'invalid_request' });
      expect(await (await send('GET', `/ssf/streams?stream_id=${stream.stream_id}`)).json()).to.deep.equal(stream);
    });
  }

  it('are deleted with 204, and then are not there (section 8.1.1.5)', async () => {
    const { create, send } = await streamManager(server);
    const { stream_id: id } = await create();
    expect((await send('DELETE', `/ssf/streams?stream_id=${id}`)).status).to.equal(204);
    expect((await send('DELETE', `/ssf/streams?stream_id=${id}`)).status).to.equal(404);
    expect((await send('GET', `/ssf/streams?stream_id=${id}`)).status).to.equal(404);
    expect((await send('PATCH', '/ssf/streams', { stream_id: id })).status).to.equal(404);
    expect((await send('POST', `/ssf/poll?stream_id=${id}`, {})).status).to.equal(404);
    expect((await send('DELETE', '/ssf/streams')).status).to.equal(400);
  });

  it('have a status, which the receiver sets (section 8.1.2)', async () => {
    const { create, send } = await streamManager(server);
    const { stream_id } = await create();
    const read = async (): Promise<unknown> => (await send('GET', `/ssf/status?stream_id=${stream_id}`)).json();
    expect(await read()).to.deep.equal({ stream_id, status: 'enabled' });
    const paused = { stream_id, status: 'paused', reason: 'moving house' };
    const answer = await send('POST', '/ssf/status', paused);
    expect(answer.status).to.equal(200);
    expect(await answer.json()).to.deep.equal(paused);
    expect(await read()).to.deep.equal(paused);
    expect((await send('POST', '/ssf/status', { stream_id, status: 'asleep' })).status).to.equal(400);
    expect((await send('POST', '/ssf/status', { stream_id: 'none', status: 'paused' })).status).to.equal(404);
    expect((await send('GET', '/ssf/status?stream_id=none')).status).to.equal(404);
    expect(await read()).to.deep.equal(paused);
  });

  it('are verified by an event with the state, at most once a minute (section 8.1.4)', async () => {
    const { client, create, send, poll } = await streamManager(server);
    const { stream_id } = await create({ events_requested: [] });
    const both = await Promise.all([1, 2].map(async () => (await send('POST', '/ssf/verify', { stream_id, state: 'abc' })).status));
    expect(both).to.have.members([204, 429]);
    const { claims } = await poll(stream_id);
    expect(claims).to.have.length(1);
    expect(claims[0]).to.deep.include({ aud: client.id, iss: server.issuer, sub_id: { format: 'opaque', id: stream_id } });
    expect(eventIn(claims[0])).to.deep.equal({ type: 'verification', state: 'abc' });
    server.clock.advance(60);
    expect((await send('POST', '/ssf/verify', { stream_id })).status).to.equal(204);
    const { claims: more } = await poll(stream_id);
    expect(eventIn(more[1])).to.deep.equal({ type: 'verification' });
    expect((await send('POST', '/ssf/verify', { stream_id: 'none' })).status).to.equal(404);
  });

  it('take JSON and nothing else: 415 for a form, 400 for what is not JSON or no object, 413 for too much', async () => {
    const { send, token } = await streamManager(server);
    const form = await fetch(`${server.issuer}/ssf/streams`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: new URLSearchParams({ description: 'x' }),
    });
    expect(form.status).to.equal(415);
    const json = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
    for (const [body, status] of [
      ['{', 400],
      ['[]', 400],
      ['"text"', 400],
      [Buffer.from([0x22, 0xff, 0x22]), 400],
      [JSON.stringify({ description: 'x'.repeat(70_000) }), 413],
    ] as const) {
      expect((await fetch(`${server.issuer}/ssf/streams`, { method: 'POST', headers: json, body })).status).to.equal(status);
    }
    expect(await (await send('GET', '/ssf/streams')).json()).to.deep.equal([]);
  });
});
