import { expect } from 'chai';
import { writeRegistrationToken } from '../../src/clients/self-registration.ts';
import { systemClock } from '../../src/core/clock.ts';
import { newIdentifier } from '../../src/core/identifiers.ts';
import { digest, generateSecret } from '../../src/core/secrets.ts';
import type { Answer } from '../support/answers.ts';
import { onEachDatabase } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { PUBLIC_CLIENT, register, registeredBy, send } from '../support/registration.ts';
import { freePort, type ServerProcess } from '../support/server-process.ts';

const SETTINGS = { FEATURES: 'dynamic-registration' };

function tokenOf({ look }: Deployment, uses: number): Promise<string> {
  const token = writeRegistrationToken(generateSecret());
  const now = systemClock.now();
  const allowance = { scope: [], resources: [], grantTypes: [] };
  return look(async ({ registrationTokens }) => {
    await registrationTokens.create({
      id: newIdentifier(),
      digest: digest(token),
      allowance,
      usesLeft: uses,
      createdAt: now,
      expiresAt: now + 3600,
    });
    return token;
  });
}

const at = ({ url }: ServerProcess) => ({ issuer: url });

onEachDatabase('registrations on two nodes (RFC 7591)', (databases) => {
  let deployment: Deployment;
  let nodes: readonly [ServerProcess, ServerProcess];

  before(async function prepare() {
    this.timeout(60_000);
    deployment = await prepareDeployment(await databases.create(), SETTINGS);
    nodes = await Promise.all([deployment.start(), deployment.start({ PORT: String(await freePort()) })]);
  });
  after(() => deployment?.end());

  const selfRegistered = () =>
    deployment.look(async ({ clientStore }) =>
      (await clientStore.list({ limit: 1000 })).filter((record) => record.registeredItself !== undefined).map(({ id }) => id),
    );

  it('use an initial access token as often as it says, and no oftener, at the same moment', async function raced() {
    this.timeout(60_000);
    for (const uses of [1, 3]) {
      const before = await selfRegistered();
      const token = await tokenOf(deployment, uses);
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => nodes.map((node) => register(at(node), PUBLIC_CLIENT, token))).flat(),
      );
      const good = answers.filter(({ status }) => status === 201).map(({ body }) => String(body.client_id));
      expect(good).to.have.length(uses);
      expect(new Set(answers.map(({ status }) => status))).to.deep.equal(new Set([201, 401]));
      expect((await selfRegistered()).filter((id) => !before.includes(id))).to.have.members(good);
    }
  });

  it('make clients that the other node knows at once', async () => {
    const { id, token } = registeredBy(await register(at(nodes[0]), PUBLIC_CLIENT, await tokenOf(deployment, 1)));
    expect((await send(at(nodes[1]), 'GET', `/register/${id}`, undefined, token)).status).to.equal(200);
  });

  it('let no registration access token count once its successor has counted anywhere', async function raced() {
    this.timeout(60_000);
    const initial = await tokenOf(deployment, 10);
    for (let round = 0; round < 10; round++) {
      const { id, token } = registeredBy(await register(at(nodes[0]), PUBLIC_CLIENT, initial));
      const path = `/register/${id}`;
      const second = registeredBy(await send(at(nodes[1]), 'GET', path, undefined, token)).token;
      const answers = await Promise.all(
        nodes.flatMap((node) => [send(at(node), 'GET', path, undefined, token), send(at(node), 'GET', path, undefined, second)]),
      );
      expect(answers.filter((_, index) => index % 2 === 1).map(({ status }) => status)).to.deep.equal([200, 200]);
      for (const node of nodes) {
        expect((await send(at(node), 'GET', path, undefined, token)).status).to.equal(401);
        expect((await send(at(node), 'GET', path, undefined, second)).status).to.equal(200);
      }
    }
  });
});

onEachDatabase('registrations and kill -9', (databases) => {
  let deployment: Deployment;
  before(async () => {
    deployment = await prepareDeployment(await databases.create(), SETTINGS);
  });
  after(() => deployment?.end());

  it('leave a client and the use of its token, or neither; what was answered is there', async function killed() {
    this.timeout(120_000);
    const USES = 1000;
    const token = await tokenOf(deployment, USES);
    const answered: Answer[] = [];
    for (const most of [5, 40, 120]) {
      const server = await deployment.start();
      let count = 0;
      const requests = Array.from({ length: 8 }, async () => {
        for (;;) {
          const answer = await register(at(server), PUBLIC_CLIENT, token).catch(() => undefined);
          if (answer === undefined) {
            return;
          }
          answered.push(answer);
          count += 1;
          if (count === most) {
            await server.kill();
          }
        }
      });
      await Promise.all(requests);
    }
    const server = await deployment.start();
    const { made, left } = await deployment.look(async ({ clientStore, registrationTokens }) => ({
      made: (await clientStore.list({ limit: 2000 })).filter(({ registeredItself }) => registeredItself !== undefined).map(({ id }) => id),
      left: (await registrationTokens.list())[0]?.usesLeft,
    }));
    expect(answered.length).to.be.at.least(165);
    expect(made).to.include.members(answered.map(({ body }) => String(body.client_id)));
    expect(left).to.equal(USES - made.length);
    const last = registeredBy(answered.at(-1) ?? { status: 0, headers: new Headers(), body: {} });
    expect((await send(at(server), 'GET', `/register/${last.id}`, undefined, last.token)).status).to.equal(200);
  });
});
