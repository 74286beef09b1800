import { expect } from 'chai';
import { CIBA_GRANT } from '../../src/clients/deferred-grants.ts';
import { registrationLimits } from '../../src/clients/registrable.ts';
import { clientRegistration } from '../../src/clients/registration.ts';
import { readConfig } from '../../src/config/read-config.ts';
import { systemClock } from '../../src/core/clock.ts';
import { readServerSecrets } from '../../src/keys/directory-secrets.ts';
import { browser, formWith } from '../support/browser.ts';
import { CIBA, waitingIn } from '../support/ciba.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { type PingReceiver, startPingReceiver } from '../support/ping-receiver.ts';
import { freePort, type ServerProcess } from '../support/server-process.ts';
import { basic, type TestClient, type TestUser } from '../support/test-server.ts';
import { errorIn, type Outcome, refreshTokenIn, type TokenRequests, tokenRequests } from '../support/token-requests.ts';

const SETTINGS = { ...CIBA, OUTBOUND_PRIVATE_ADDRESSES: 'on', CIBA_REQUESTS_PER_USER: '20', REFRESH_TOKEN_GRACE: '60s' };
const REQUESTS = 12;
const TOKEN = 'b2zXqL3mNw8sVt5yKc7RfA';

onEachDatabase('backchannel authentication requests of two processes on one database, and kill -9', (databases) => {
  let deployment: Deployment;
  let receiver: PingReceiver;
  let client: TestClient;
  let requests: TokenRequests;
  let user: TestUser;

  before(async function prepare() {
    this.timeout(60_000);
    deployment = await prepareDeployment(await databases.create(), SETTINGS);
    receiver = await startPingReceiver();
    client = await pingClient();
    requests = tokenRequests(client);
  });

  beforeEach(async () => {
    user = await deployment.user();
  });

  after(async () => {
    requests?.close();
    await receiver?.close();
    await deployment?.end();
  });

  async function pingClient(): Promise<TestClient> {
    const reading = readConfig({ SIGNING_ALGS: 'ES256', ...SETTINGS }, undefined);
    if ('problems' in reading) {
      throw new Error(reading.problems.join('\n'));
    }
    return deployment.look(async ({ clientStore: store }) => {
      const limits = registrationLimits(reading.config);
      const { record, secret } = await clientRegistration({
        store,
        limits,
        clock: systemClock,
        serverSecrets: () => readServerSecrets(deployment.keysDirectory, systemClock),
      }).create({
        grant_types: [CIBA_GRANT, 'refresh_token'],
        backchannel_token_delivery_mode: 'ping',
        backchannel_client_notification_endpoint: receiver.uri,
        scope: 'openid api:read',
      });
      return { id: record.id, secret: secret ?? '' };
    });
  }

  async function asked({ url }: ServerProcess): Promise<string> {
    const response = await fetch(`${url}/backchannel-authentication`, {
      method: 'POST',
      body: new URLSearchParams({ scope: 'openid api:read', login_hint: user.username, client_notification_token: TOKEN }),
      headers: { authorization: basic(client) },
    });
    return ((await response.json()) as { readonly auth_req_id: string }).auth_req_id;
  }

  function poll({ url }: ServerProcess, id: string): Promise<Outcome> {
    return requests.post(`${url}/token`, { grant_type: CIBA_GRANT, auth_req_id: id });
  }

  /** How to send the consent forms of all that waits, oldest first, from one browser. */
  async function decisions({ url }: ServerProcess): Promise<readonly ((decision: string, at?: string) => Promise<string>)[]> {
    const tab = browser({ issuer: url });
    const list = await tab.submit(await tab.visit('/ciba'), { username: user.username, password: user.password });
    const pages = [];
    for (const href of waitingIn(list)) {
      pages.push(await tab.visit(href));
    }
    const cookie = [...tab.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return pages.map((page) => (decision, at = url) => {
      const body = new URLSearchParams({ ...formWith(page, ['decision']).hidden, decision });
      return fetch(`${at}/consent`, { method: 'POST', body, headers: { cookie }, redirect: 'manual' }).then(
        async (response) => ((await response.text()).includes('Access ') ? 'taken' : 'refused'),
        () => 'lost',
      );
    });
  }

  function toldOf(id: string): number {
    return receiver.received.filter(({ body }) => body === JSON.stringify({ auth_req_id: id })).length;
  }

  it('take one of two decisions at the same moment, tell the client of it once, and exchange it once', async () => {
    const nodes = await Promise.all([deployment.start(), deployment.start({ PORT: String(await freePort()) })]);
    for (let round = 0; round < 4; round++) {
      const id = await asked(nodes[0]);
      const before = receiver.received.length;
      const [decide] = await decisions(nodes[0]);
      const outcomes = await Promise.all([decide?.('allow', nodes[0].url), decide?.('allow', nodes[1].url)]);
      expect(outcomes).to.have.members(['taken', 'refused']);
      await receiver.times(before + 1);
      const polled = await Promise.all([...nodes, ...nodes].map((node) => poll(node, id)));
      const [token = '', ...others] = new Set(polled.map(refreshTokenIn));
      expect(others).to.deep.equal([]);
      refreshTokenIn(await requests.refresh(nodes[0].url, token));
      expect(errorIn(await poll(nodes[1], id))).to.equal('invalid_grant');
      expect(toldOf(id)).to.equal(1);
    }
    await Promise.all(nodes.map((node) => node.kill()));
  }).timeout(40_000);

  it('take yes or no where both come at the same moment, and mean the same to whoever asks where', async () => {
    const nodes = await Promise.all([deployment.start(), deployment.start({ PORT: String(await freePort()) })]);
    let allowed = 0;
    for (let round = 0; round < 6; round++) {
      const id = await asked(nodes[0]);
      const [decide] = await decisions(nodes[0]);
      const outcomes = await Promise.all(['allow', 'deny'].map(async (decision, at) => decide?.(decision, nodes[(at + round) % 2]?.url)));
      expect(outcomes).to.have.members(['taken', 'refused']);
      const isAllowed = outcomes[0] === 'taken';
      allowed += isAllowed ? 1 : 0;
      const polled = await Promise.all(nodes.map((node) => poll(node, id)));
      const answers = polled.map((outcome) => (isAllowed ? refreshTokenIn(outcome) : errorIn(outcome)));
      expect(new Set(answers).size).to.equal(1);
      expect(isAllowed || answers[0] === 'access_denied').to.equal(true);
    }
    const grants = await deployment.look((repositories) => repositories.grants.list({ userId: user.id }, { limit: 50 }));
    // One that was made for the decision that lost is over.
    expect(grants.filter(({ revokedAt }) => revokedAt === undefined)).to.have.length(allowed);
    await Promise.all(nodes.map((node) => node.kill()));
  }).timeout(40_000);

  it(`lose none of ${REQUESTS} decisions that a user was told of, nor a ping`, async () => {
    let server = await deployment.start();
    const ids: string[] = [];
    for (let number = 0; number < REQUESTS; number++) {
      ids.push(await asked(server));
    }
    const forms = await decisions(server);
    expect(forms).to.have.length(REQUESTS);
    const told: string[] = ids.map(() => 'lost');
    let done = 0;
    await new Promise<void>((resolve) => {
      void Promise.all(
        forms.map(async (decide, index) => {
          told[index] = await decide('allow');
          done += 1;
          if (done === 3) {
            resolve();
          }
        }),
      );
    });
    await server.kill();
    server = await deployment.start();
    const { url } = server;
    expect(told).to.include('taken');
    const open = new Set(
      await deployment.look(async ({ deferredRequests }) =>
        (await deferredRequests.openFor(user.id, systemClock.now())).map(({ id }) => id),
      ),
    );
    // What was taken is not open any more, and the rest can still be decided; in the order they were asked in.
    expect(open.size).to.be.at.most(REQUESTS - told.filter((outcome) => outcome === 'taken').length);
    for (const decide of await decisions(server)) {
      expect(await decide('allow', url)).to.equal('taken');
    }
    for (const id of ids) {
      const token = refreshTokenIn(await poll(server, id));
      refreshTokenIn(await requests.refresh(url, token));
      expect(errorIn(await poll(server, id))).to.equal('invalid_grant');
    }
    // A lease of the dead process runs out after half a minute.
    const deadline = Date.now() + 50_000;
    while (ids.some((id) => toldOf(id) === 0) && Date.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    expect(ids.filter((id) => toldOf(id) === 0)).to.deep.equal([]);
    await server.kill();
  }).timeout(90_000);
});
