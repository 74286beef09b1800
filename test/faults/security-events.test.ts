import { expect } from 'chai';
import { systemClock } from '../../src/core/clock.ts';
import { newIdentifier } from '../../src/core/identifiers.ts';
import { browser, codeRequest } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { eventIn, startEventReceiver } from '../support/event-receiver.ts';
import { freePort } from '../support/server-process.ts';

onEachDatabase('security events (SSF 1.0 section 6)', (databases) => {
  let deployment: Deployment;

  beforeEach(async function prepare() {
    this.timeout(60_000);
    const settings = { NODE_ENV: 'test', ISSUER: 'http://localhost:4000', OUTBOUND_PRIVATE_ADDRESSES: 'on' };
    deployment = await prepareDeployment(await databases.create(), settings);
  });
  afterEach(() => deployment.end());

  it('arrive after kill -9 between the change and the delivery, when both sides are back', async function killed() {
    this.timeout(60_000);
    const port = await freePort();
    await deployment.look(async ({ clientStore, eventStreams }) => {
      const record = await clientStore.find(deployment.client.id);
      if (record !== undefined) {
        const scope = `${record.metadata.scope} ssf.manage`;
        await clientStore.replace({ ...record, metadata: { ...record.metadata, scope, skip_consent: true } });
      }
      await eventStreams.create(
        {
          id: newIdentifier(),
          clientId: deployment.client.id,
          delivery: { method: 'push', endpointUrl: `http://127.0.0.1:${port}/events`, sealedAuthorization: undefined },
          eventsRequested: undefined,
          description: undefined,
          status: 'enabled',
          statusReason: undefined,
          version: 1,
          createdAt: systemClock.now(),
        },
        1,
      );
    });
    const user = await deployment.user();
    const server = await deployment.start();
    const tab = browser({ issuer: server.url });
    const login = await tab.visit(codeRequest({ issuer: server.url }, deployment.client, { scope: 'openid' }).url);
    const arrival = await tab.submit(login, { username: user.username, password: user.password });
    expect(arrival.url.searchParams.has('code')).to.equal(true);
    // Nobody listens there, so the event is still to come when the user reads that it is over.
    const done = await tab.submit(await tab.visit('/logout'), { decision: 'sign_out' });
    expect(done.html).to.include('You are signed out');
    await deployment.look(async ({ deliveries }) => {
      // Not while an attempt is in hand: the next one would then be due half a minute later, when its lease is over.
      while (((await deliveries.nextDueAt()) ?? 0) > systemClock.now() + 20) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await server.kill();

    const receiver = await startEventReceiver(port);
    await deployment.start();
    await receiver.times(1);
    const [told] = receiver.received;
    expect(told?.claims).to.include({ aud: deployment.client.id });
    expect(eventIn(told?.claims).type).to.equal('session-revoked');
    expect(told?.claims['sub_id']).to.deep.include({ user: { format: 'iss_sub', iss: 'http://localhost:4000', sub: user.id } });
    await receiver.close();
  });
});
