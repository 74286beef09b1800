import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { onEachDatabase } from '../support/databases.ts';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { type RotationLoad, rotationLoad } from '../support/rotation-load.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { type TokenRequests, tokenRequests } from '../support/token-requests.ts';

// More for a night: FAULT_KILLS=1000 npx mocha test/faults/kill-during-rotations.test.ts
const KILLS = Number(process.env['FAULT_KILLS'] ?? 20);
const CLIENTS = 200;

onEachDatabase(`kill -9 in the middle of ${CLIENTS} concurrent rotations, ${KILLS} times`, (databases) => {
  let deployment: Deployment;
  let requests: TokenRequests;
  let load: RotationLoad;
  let server: ServerProcess;

  before(async function prepare() {
    this.timeout(60_000);
    // Wider than any restart of a busy machine takes.
    deployment = await prepareDeployment(await databases.create(), { REFRESH_TOKEN_GRACE: '60s' });
    requests = tokenRequests(deployment.client);
    load = rotationLoad(await deployment.grants(CLIENTS), requests);
  });

  after(async () => {
    requests?.close();
    await deployment?.end();
  });

  it('loses nothing that was acknowledged, and lets every client go on by repeating its last request', async function killAgain() {
    this.timeout(30_000 + KILLS * 5000);
    server = await deployment.start();
    const keySet = await keySetOf(server);
    let unanswered = 0;
    let unansweredYetDone = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      const running = load.start(server.url);
      // At another point each time: from a cold start to full speed.
      await pause(50 + ((kill * 37) % 200));
      await server.kill();
      await running.stop();
      expect(aheadOfDatabase(server)).to.deep.equal([]);

      server = await deployment.start();
      for (const { acknowledged, recorded, sure } of await compare(deployment, load)) {
        // Never behind what was acknowledged; and ahead by the one step that was asked for and not answered, at most.
        expect(recorded).to.be.within(acknowledged, sure ? acknowledged : acknowledged + 1);
        unanswered += sure ? 0 : 1;
        unansweredYetDone += recorded - acknowledged;
      }
      await load.repeatLast(server.url);
      expect(load.violations).to.deep.equal([]);
      expect(await keySetOf(server)).to.equal(keySet);
    }
    // The kills did hit rotations on their way, on both sides of the commit.
    expect(unanswered).to.be.greaterThan(KILLS * 10);
    expect(unansweredYetDone).to.be.within(1, unanswered - 1);
    expect(load.tally.unavailable).to.equal(0);
  });

  it('leaves one live refresh token a grant: an older one ends the grant, and the newest with it', async () => {
    const older = load.clients.map(({ grantId, token }) => {
      const generation = deployment.credentials.proveRefreshToken(token)?.generation ?? 0;
      return deployment.credentials.refreshToken({ grantId, generation: generation - 2 });
    });
    for (const stage of [older, load.clients.map(({ token }) => token)]) {
      const outcomes = await Promise.all(stage.map((token) => requests.refresh(server.url, token)));
      for (const outcome of outcomes) {
        expect(outcome.kind === 'answer' && outcome.body.error).to.equal('invalid_grant');
      }
    }
    const grants = await deployment.recorded(load.clients.map(({ grantId }) => grantId));
    expect(new Set(grants.map(({ revocationReason }) => revocationReason))).to.deep.equal(new Set(['refresh_token_reuse']));
  });
});

interface Comparison {
  /** Generation of the newest token the client was given. */
  readonly acknowledged: number;
  readonly recorded: number;
  /** Whether the client knows of nothing under way. */
  readonly sure: boolean;
}

async function compare(deployment: Deployment, load: RotationLoad): Promise<readonly Comparison[]> {
  const grants = await deployment.recorded(load.clients.map(({ grantId }) => grantId));
  return load.clients.map(({ token, last }, index) => {
    const grant = grants[index];
    expect(grant?.revokedAt).to.equal(undefined);
    return {
      acknowledged: deployment.credentials.proveRefreshToken(token)?.generation ?? Number.NaN,
      recorded: grant?.generation ?? Number.NaN,
      sure: last?.answered ?? true,
    };
  });
}

/** A server that finds a token newer than its database goes on, and would hide that a rotation was lost; but it says so. */
function aheadOfDatabase({ log }: ServerProcess): readonly unknown[] {
  return log.filter(({ event }) => event === 'refresh_token_ahead_of_database' || event === 'refresh_token_reuse');
}

async function keySetOf({ url }: ServerProcess): Promise<string> {
  return (await fetch(`${url}/jwks`)).text();
}
