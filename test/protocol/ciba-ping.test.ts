import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { expectError } from '../support/answers.ts';
import { askUser, CIBA, cibaClient, decideNewest, lookAtNewest, poll, request } from '../support/ciba.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type PingReceiver, startPingReceiver } from '../support/ping-receiver.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';

const newToken = (): string => randomBytes(20).toString('base64url');

onEachDatabase('ping mode (CIBA section 10.2)', (databases) => {
  let server: TestServer;
  let receiver: PingReceiver;
  let user: TestUser;
  let client: TestClient;
  before(async () => {
    server = await startTestServer(await databases.create(), { ...CIBA, OUTBOUND_PRIVATE_ADDRESSES: 'on', RATE_LIMITS: 'off' });
  });
  beforeEach(async () => {
    receiver = await startPingReceiver();
    user = await server.user();
    client = await cibaClient(server, {
      backchannel_token_delivery_mode: 'ping',
      backchannel_client_notification_endpoint: receiver.uri,
    });
  });
  afterEach(() => receiver.close());
  after(() => server.close());

  for (const [decision, answered] of [
    ['allow', 'tokens'],
    ['deny', 'access_denied'],
  ] as const) {
    it(`tells the client with its token when the user chose ${decision}, and then it comes for ${answered}`, async () => {
      const token = newToken();
      const { auth_req_id: id } = await askUser(server, client, user, { client_notification_token: token });
      expect(receiver.received).to.deep.equal([]);
      await decideNewest(server, user, decision);
      await receiver.times(1);
      expect(receiver.received).to.deep.equal([
        {
          method: 'POST',
          path: '/told',
          contentType: 'application/json',
          authorization: `Bearer ${token}`,
          body: JSON.stringify({ auth_req_id: id }),
        },
      ]);
      const { body } = await poll(server, client, id);
      expect(decision === 'allow' ? typeof body['access_token'] : body['error']).to.equal(decision === 'allow' ? 'string' : answered);
    });
  }

  it('lets the client poll as well, at the same pace', async () => {
    const { auth_req_id: id, interval } = await askUser(server, client, user, { client_notification_token: newToken() });
    expect(interval).to.equal(5);
    expectError(await poll(server, client, id), 'authorization_pending');
    expectError(await poll(server, client, id), 'slow_down');
  });

  it('tells it again until it answers with 2xx, and follows no redirect', async () => {
    receiver.answer((_, response) => response.writeHead(307, { location: `${receiver.uri}/elsewhere` }).end());
    await askUser(server, client, user, { client_notification_token: newToken() });
    await decideNewest(server, user);
    await receiver.times(1);
    receiver.answer((_, response) => response.writeHead(204).end());
    while ((await server.repositories.deliveries.nextDueAt()) !== server.clock.now() + 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    server.clock.advance(1);
    // Another decision wakes the worker, and it takes what is due.
    await askUser(server, client, user, { client_notification_token: newToken() });
    await decideNewest(server, user);
    await receiver.times(3);
    expect(receiver.received.map(({ method }) => method)).to.deep.equal(['POST', 'POST', 'POST']);
    expect(receiver.received.map(({ path }) => path)).to.deep.equal(['/told', '/told', '/told']);
  });

  it('tells nothing of a decision that was not taken', async () => {
    await askUser(server, client, user, { client_notification_token: newToken(), requested_expiry: '60' });
    const page = await lookAtNewest(server, user);
    server.clock.advance(60);
    expect(page.html).to.include('value="allow"');
    expect(await server.repositories.deliveries.nextDueAt()).to.equal(undefined);
    expect(receiver.received).to.deep.equal([]);
  });

  it('needs a token that is a bearer token of 128 bits or more (section 7.1)', async () => {
    for (const token of [
      '',
      'short',
      'a'.repeat(64),
      'abab'.repeat(16),
      'x'.repeat(21),
      `${newToken()} ${newToken()}`,
      newToken().repeat(40),
    ]) {
      expectError(await request(server, client, { login_hint: user.username, client_notification_token: token }), 'invalid_request');
    }
    expect(await server.repositories.deferredRequests.openFor(user.id, server.clock.now())).to.deep.equal([]);
  });

  it('keeps the token sealed, and no token of a client that polls', async () => {
    const token = newToken();
    await askUser(server, client, user, { client_notification_token: token });
    const polling = await cibaClient(server);
    await askUser(server, polling, user, { client_notification_token: token });
    const open = await server.repositories.deferredRequests.openFor(user.id, server.clock.now());
    expect(JSON.stringify(open)).not.to.include(token);
    const sealed = await Promise.all(open.map(({ id }) => server.repositories.deferredRequests.findNotification(id)));
    expect(sealed.map((text) => text?.includes(token))).to.deep.equal([false, undefined]);
  });
});
