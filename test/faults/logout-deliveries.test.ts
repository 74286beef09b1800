import { expect } from 'chai';
import { systemClock } from '../../src/core/clock.ts';
import { newIdentifier } from '../../src/core/identifiers.ts';
import { browser, codeRequest } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { startLogoutReceiver } from '../support/logout-receiver.ts';
import { freePort } from '../support/server-process.ts';

onEachDatabase('logout deliveries (OpenID Connect Back-Channel Logout section 2.5)', (databases) => {
  let deployment: Deployment;

  beforeEach(async function prepare() {
    this.timeout(60_000);
    const settings = { NODE_ENV: 'test', ISSUER: 'http://localhost:4000', OUTBOUND_PRIVATE_ADDRESSES: 'on' };
    deployment = await prepareDeployment(await databases.create(), settings);
  });
  afterEach(() => deployment.end());

  async function registerReceiver(uri: string): Promise<void> {
    await deployment.look(async ({ clientStore }) => {
      const record = await clientStore.find(deployment.client.id);
      if (record !== undefined) {
        await clientStore.replace({ ...record, metadata: { ...record.metadata, skip_consent: true, backchannel_logout_uri: uri } });
      }
    });
  }

  it('arrive after kill -9 between the logout and the delivery, when both sides are back', async function killed() {
    this.timeout(60_000);
    const port = await freePort();
    await registerReceiver(`http://127.0.0.1:${port}/logged-out`);
    const user = await deployment.user();
    const server = await deployment.start();
    const tab = browser({ issuer: server.url });
    const login = await tab.visit(codeRequest({ issuer: server.url }, deployment.client, { scope: 'openid' }).url);
    const arrival = await tab.submit(login, { username: user.username, password: user.password });
    expect(arrival.url.searchParams.has('code')).to.equal(true);
    // Nobody listens there, so the delivery is still to come when the user reads that it is over.
    const done = await tab.submit(await tab.visit('/logout'), { decision: 'sign_out' });
    expect(done.html).to.include('You are signed out');
    await deployment.look(async ({ deliveries }) => {
      // Not while an attempt is in hand: the next one would then be due half a minute later, when its lease is over.
      while (((await deliveries.nextDueAt()) ?? 0) > systemClock.now() + 20) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    await server.kill();

    const receiver = await startLogoutReceiver(port);
    await deployment.start();
    await receiver.times(1);
    expect(receiver.received[0]?.claims).to.include({ sub: user.id, aud: deployment.client.id });
    await receiver.close();
  });

  it('are shared by two nodes: each arrives, and none of them twice', async function shared() {
    this.timeout(60_000);
    const receiver = await startLogoutReceiver();
    await registerReceiver(receiver.uri);
    const user = await deployment.user();
    const SESSIONS = 100;
    await deployment.look(async ({ sessions, grants }) => {
      const now = systemClock.now();
      for (let count = 0; count < SESSIONS; count++) {
        const id = newIdentifier();
        const expiresAt = now + 3600;
        await sessions.create({
          id,
          userId: user.id,
          authTime: now,
          methods: ['pwd'],
          createdAt: now,
          idleExpiresAt: expiresAt,
          expiresAt,
        });
        await grants.create({
          id: newIdentifier(),
          clientId: deployment.client.id,
          userId: user.id,
          scope: ['openid'],
          resources: [],
          authentication: { authTime: now, methods: ['pwd'], sessionId: id },
          code: { redirectUri: 'https://app.example/callback', redirectUriGiven: true, codeChallenge: undefined },
          createdAt: now,
          expiresAt,
          absoluteExpiresAt: undefined,
        });
      }
    });
    await Promise.all([deployment.start(), deployment.start({ PORT: String(await freePort()) })]);
    await deployment.look(({ users }) => users.signOut(user.id, { grants: false }, systemClock.now()));
    await receiver.times(SESSIONS);
    await deployment.look(async ({ deliveries }) => {
      while ((await deliveries.nextDueAt()) !== undefined) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    expect(new Set(receiver.received.map(({ claims }) => claims.jti)).size).to.equal(SESSIONS);
    expect(receiver.received).to.have.length(SESSIONS);
    await receiver.close();
  });
});
