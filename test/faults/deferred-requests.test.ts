import { expect } from 'chai';
import { DEVICE_CODE_GRANT } from '../../src/clients/deferred-grants.ts';
import { browser, type Form, formWith } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { freePort, type ServerProcess } from '../support/server-process.ts';
import { basic, type TestUser } from '../support/test-server.ts';
import { errorIn, type Outcome, refreshTokenIn, type TokenRequests, tokenRequests } from '../support/token-requests.ts';

interface Device {
  readonly device_code: string;
  readonly user_code: string;
}

const DEVICES = 20;

onEachDatabase('deferred requests of two server processes on one database', (databases) => {
  let deployment: Deployment;
  let requests: TokenRequests;
  let nodes: readonly [ServerProcess, ServerProcess];
  let user: TestUser;

  before(async function prepare() {
    this.timeout(60_000);
    deployment = await prepareDeployment(await databases.create());
    user = await deployment.user();
    requests = tokenRequests(deployment.client);
    nodes = await Promise.all([deployment.start(), deployment.start({ PORT: String(await freePort()) })]);
  });

  after(async () => {
    requests?.close();
    await deployment?.end();
  });

  async function asked(node: ServerProcess): Promise<Device> {
    const response = await fetch(`${node.url}/device_authorization`, {
      method: 'POST',
      body: new URLSearchParams({ scope: 'openid api:read' }),
      headers: { authorization: basic(deployment.client) },
    });
    return (await response.json()) as Device;
  }

  function poll(node: ServerProcess, { device_code }: Device): Promise<Outcome> {
    return requests.post(`${node.url}/token`, { grant_type: DEVICE_CODE_GRANT, device_code });
  }

  /** A logged-in browser and its consent page's form, for one device. */
  async function atConsent(node: ServerProcess, device: Device) {
    const tab = browser({ issuer: node.url });
    const typed = await tab.submit(await tab.visit(`${node.url}/device`), { user_code: device.user_code });
    return { tab, page: await tab.submit(typed, { username: user.username, password: user.password }) };
  }

  async function decideAt(node: ServerProcess, { tab, page }: Awaited<ReturnType<typeof atConsent>>, decision: string): Promise<number> {
    const form = formWith(page, ['decision']);
    const response = await fetch(`${node.url}${form.action}`, {
      method: 'POST',
      body: new URLSearchParams({ ...form.hidden, decision }),
      headers: { cookie: [...tab.cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      redirect: 'manual',
    });
    await response.text();
    return response.status;
  }

  it('keep one pace of polls between them, and add five seconds for each that is too soon on either', async () => {
    const device = await asked(nodes[0]);
    const first = await Promise.all([...nodes, ...nodes].map((node) => poll(node, device)));
    // One was the first; whichever came behind it was too soon, wherever it came.
    expect(first.map(errorIn)).to.have.members(['authorization_pending', 'slow_down', 'slow_down', 'slow_down']);
    const intervals = first.flatMap((outcome) =>
      outcome.kind === 'answer' && outcome.body.error === 'slow_down' ? [Number(/\d+/.exec(JSON.stringify(outcome.body))?.[0])] : [],
    );
    expect(intervals).to.have.members([10, 15, 20]);
  });

  it('take one decision of two users at the same moment', async () => {
    for (let round = 0; round < 5; round++) {
      const device = await asked(nodes[0]);
      const [one, other] = [await atConsent(nodes[0], device), await atConsent(nodes[1], device)];
      const statuses = await Promise.all([decideAt(nodes[0], one, 'allow'), decideAt(nodes[1], other, 'allow')]);
      expect(statuses).to.have.members([200, 400]);
      expect(errorIn(await poll(nodes[1], device))).to.equal(undefined);
    }
    const grants = await deployment.look((repositories) => repositories.grants.list({ clientId: deployment.client.id }, { limit: 50 }));
    expect(grants.filter(({ revokedAt }) => revokedAt === undefined)).to.have.length(5);
    expect(
      grants.filter(({ revokedAt }) => revokedAt !== undefined).every(({ revocationReason }) => revocationReason === 'already_decided'),
    ).to.equal(true);
  }).timeout(30_000);

  it('give one refresh token for a device code at the same moment, and end the grant of one that comes back late', async () => {
    for (let round = 0; round < 5; round++) {
      const device = await asked(nodes[round % 2 === 0 ? 0 : 1]);
      await decideAt(nodes[1], await atConsent(nodes[0], device), 'allow');
      const outcomes = await Promise.all([...nodes, ...nodes].map((node) => poll(node, device)));
      const [token = '', ...others] = new Set(outcomes.map(refreshTokenIn));
      expect(others).to.deep.equal([]);
      const successor = refreshTokenIn(await requests.refresh(nodes[0].url, token));
      expect(errorIn(await poll(nodes[1], device))).to.equal('invalid_grant');
      expect(errorIn(await requests.refresh(nodes[0].url, successor))).to.equal('invalid_grant');
    }
  }).timeout(30_000);
});

onEachDatabase(`kill -9 while ${DEVICES} users decide and their devices poll`, (databases) => {
  let deployment: Deployment;
  let requests: TokenRequests;

  before(async function prepare() {
    this.timeout(60_000);
    deployment = await prepareDeployment(await databases.create(), { REFRESH_TOKEN_GRACE: '60s' });
    requests = tokenRequests(deployment.client);
  });

  after(async () => {
    requests?.close();
    await deployment?.end();
  });

  it('loses no decision that a user was told of, and makes none twice', async () => {
    const user = await deployment.user();
    let server = await deployment.start();
    const { url } = server;
    const tab = browser({ issuer: url });
    const devices = await Promise.all(
      Array.from({ length: DEVICES }, async () => {
        const response = await fetch(`${url}/device_authorization`, {
          method: 'POST',
          body: new URLSearchParams({ scope: 'api:read' }),
          headers: { authorization: basic(deployment.client) },
        });
        return (await response.json()) as Device;
      }),
    );
    const forms: Form[] = [];
    for (const device of devices) {
      let page = await tab.submit(await tab.visit(`${url}/device`), { user_code: device.user_code });
      page = page.html.includes('name="password"') ? await tab.submit(page, { username: user.username, password: user.password }) : page;
      forms.push(formWith(page, ['decision']));
    }
    const cookie = [...tab.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const decide = (index: number): Promise<string> =>
      fetch(`${url}/consent`, {
        method: 'POST',
        body: new URLSearchParams({ ...forms[index]?.hidden, decision: 'allow' }),
        headers: { cookie },
        redirect: 'manual',
      }).then(
        async (response) => ((await response.text()).includes('Access allowed') ? 'allowed' : 'refused'),
        () => 'lost',
      );
    const poll = ({ device_code }: Device): Promise<Outcome> =>
      requests.post(`${url}/token`, { grant_type: DEVICE_CODE_GRANT, device_code });

    const told: string[] = Array.from({ length: DEVICES }, () => 'lost');
    const polled: (Outcome | undefined)[] = Array.from({ length: DEVICES });
    // Each decision is followed by its poll; when some are done, the server is killed among the rest.
    let done = 0;
    const midway = new Promise<void>((resolve) => {
      void Promise.all(
        devices.map(async (device, index) => {
          told[index] = await decide(index);
          polled[index] = told[index] === 'allowed' ? await poll(device) : undefined;
          done += 1;
          if (done === 3) {
            resolve();
          }
        }),
      );
    });
    await midway;
    await server.kill();
    server = await deployment.start();

    for (const [index, device] of devices.entries()) {
      if (told[index] !== 'allowed') {
        // The answer was lost. The user sends the form again: either it is taken now, or it was taken before.
        expect(await decide(index)).to.be.oneOf(['allowed', 'refused']);
      }
      const token = refreshTokenIn(await poll(device));
      const before = polled[index];
      if (before?.kind === 'answer') {
        expect(token).to.equal(before.body.refresh_token);
      }
      refreshTokenIn(await requests.refresh(url, token));
      expect(errorIn(await poll(device))).to.equal('invalid_grant');
    }
    expect(told).to.include('allowed');
  }).timeout(60_000);
});
