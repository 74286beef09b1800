import { expect } from 'chai';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { revokeKey } from '../../src/keys/key-commands.ts';
import { keySettings } from '../../src/keys/key-settings.ts';
import { answerOf } from '../support/answers.ts';
import { logIn } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type EventListener, listenTo, type ReceivedEvent } from '../support/event-listener.ts';
import { referenceIn, statusOf } from '../support/status-list-decoder.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

interface Change {
  readonly status_lists: readonly string[];
  readonly idx?: readonly number[];
}

/** Whether an event says that the token is invalid. */
function endsToken(token: string): (event: ReceivedEvent) => boolean {
  const { uri, idx } = referenceIn(token);
  return ({ event, data }) => {
    const { status_lists: lists, idx: indices } = data as Change;
    return event === 'change' && lists.includes(uri) && (indices?.includes(idx) ?? false);
  };
}

onEachDatabase('events of the status lists', (database) => {
  let location: DatabaseLocation;
  let server: TestServer;
  let user: TestUser;
  let client: TestClient;
  const listeners: EventListener[] = [];
  before(async () => {
    location = await database.create();
    server = await startTestServer(location);
    user = await server.user();
    client = await server.client({ skip_consent: true });
  });
  afterEach(() => {
    for (const listener of listeners.splice(0)) {
      listener.close();
    }
  });
  after(() => server.close());

  async function listen(headers: Readonly<Record<string, string>> = {}, url = server.url): Promise<EventListener> {
    const listener = await listenTo(`${url}/status-lists/events`, headers);
    listeners.push(listener);
    return listener;
  }

  async function newToken(): Promise<string> {
    const { body } = await answerOf(server.post('/token', { grant_type: 'client_credentials' }, client));
    return String(body['access_token']);
  }

  const revoke = (token: string) => server.post('/revoke', { token }, client);

  it('are a stream that no cache and no proxy holds back, found through the metadata', async () => {
    const { body } = await answerOf(server.get('/.well-known/oauth-authorization-server'));
    expect(body['status_list_events_endpoint']).to.equal(`${server.issuer}/status-lists/events`);
    const { status, headers } = await listen();
    expect(status).to.equal(200);
    expect(headers).to.include({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
      'access-control-allow-origin': '*',
    });
  });

  it('tell of a revocation before it is answered: which lists, and which index, with no need to fetch', async () => {
    const listener = await listen();
    const { access_token: token, refresh_token: refreshToken } = await logIn(server, client, user);
    const other = await newToken();
    await revoke(refreshToken);
    const answeredAt = performance.now();
    const event = await listener.next(endsToken(token));
    expect(event.at - answeredAt).to.be.below(250);
    expect(endsToken(other)(event)).to.equal(false);
    expect(await statusOf(server, token)).to.equal(1);
    expect((event.data as Change).status_lists.every((uri) => uri.endsWith(`/${referenceIn(token).uri.split('/').at(-1)}`))).to.equal(true);
  });

  it('tell of what was revoked at another node within a second', async () => {
    const other = await startTestServer(location, { KEYS_DIR: server.config.keysDirectory, ISSUER: server.issuer });
    try {
      const listener = await listen({}, other.url);
      const token = await newToken();
      await revoke(token);
      const revokedAt = performance.now();
      const event = await listener.next(endsToken(token));
      expect(event.at - revokedAt).to.be.below(1000);
    } finally {
      await other.close();
    }
  });

  it('go on where they stopped, at whatever node: what was missed is told again', async () => {
    // Past the time for which a node that just started cannot know what happened.
    server.clock.advance(60);
    const first = await listen();
    const before = await newToken();
    await revoke(before);
    await first.next(endsToken(before));
    const lastEventId = first.lastEventId();
    expect(lastEventId).to.match(/^\d+$/);
    first.close();
    const missed = await newToken();
    await revoke(missed);
    const second = await listen({ 'last-event-id': lastEventId });
    expect(await second.next(endsToken(missed))).to.include({ event: 'change' });
    expect(second.events.some(({ event }) => event === 'reset')).to.equal(false);
  });

  it('say so when it is not known what was missed: then every list is to be fetched again', async () => {
    for (const lastEventId of [String(server.clock.now() - 3600), '0', 'invented', '', '9'.repeat(40)]) {
      const listener = await listen({ 'last-event-id': lastEventId });
      expect(await listener.next(({ event }) => event === 'reset'), lastEventId).to.deep.include({ data: {} });
    }
  });

  it('name the lists and no index where a change is large', async () => {
    const busy = await server.client();
    const tokens: string[] = [];
    for (let count = 0; count < 40; count++) {
      const { body } = await answerOf(server.post('/token', { grant_type: 'client_credentials' }, busy));
      tokens.push(String(body['access_token']));
    }
    const listener = await listen();
    await server.repositories.clientStore.delete(busy.id);
    const uri = referenceIn(tokens[0]).uri;
    const event = await listener.next(({ data }) => ((data as Change).status_lists ?? []).includes(uri));
    // Its last block is large: one went for 16 tokens, the next was made for more.
    expect((event.data as Change).idx === undefined || (event.data as Change).idx?.length).to.not.equal(0);
    for (const token of tokens) {
      expect((event.data as Change).idx?.includes(referenceIn(token).idx) ?? true).to.equal(true);
    }
  });

  it('tell of a revoked key by the names of all its lists', async () => {
    const listener = await listen();
    const token = await newToken();
    const kid = (JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as { kid: string }).kid;
    await revokeKey(
      {
        directory: server.config.keysDirectory,
        settings: keySettings(server.config),
        clock: server.clock,
        audit: { record: () => undefined },
      },
      kid,
    );
    const event = await listener.next(({ data }) => ((data as Change).status_lists ?? []).includes(referenceIn(token).uri));
    expect((event.data as Change).idx).to.equal(undefined);
  });

  it('end when the server stops, at once and without being cut off', async () => {
    const own = await startTestServer(location, { KEYS_DIR: server.config.keysDirectory });
    const listener = await listenTo(`${own.url}/status-lists/events`);
    const stoppedAt = performance.now();
    await own.close();
    await listener.ended;
    expect(performance.now() - stoppedAt).to.be.below(900);
  });

  it('answer HEAD with the headers alone', async () => {
    const response = await fetch(`${server.url}/status-lists/events`, { method: 'HEAD' });
    expect({ status: response.status, type: response.headers.get('content-type') }).to.deep.equal({
      status: 200,
      type: 'text/event-stream',
    });
  });
});
