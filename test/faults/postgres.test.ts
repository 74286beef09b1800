import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import pg from 'pg';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { goThroughOutage } from '../support/outage.ts';
import { skipWithoutPostgres } from '../support/postgres.ts';
import { type PostgresCluster, startPostgresCluster } from '../support/postgres-cluster.ts';
import { type RotationLoad, rotationLoad } from '../support/rotation-load.ts';
import type { ServerProcess } from '../support/server-process.ts';
import { type TokenRequests, tokenRequests } from '../support/token-requests.ts';

describe('a PostgreSQL server that fails under a running server', () => {
  before(skipWithoutPostgres);

  describe('of its own', () => {
    let cluster: PostgresCluster;
    let deployment: Deployment;
    let requests: TokenRequests;
    let server: ServerProcess;

    before(async function prepare() {
      this.timeout(60_000);
      cluster = await startPostgresCluster();
      deployment = await prepareDeployment({ kind: 'postgres', url: cluster.url }, { REFRESH_TOKEN_GRACE: '60s' });
      requests = tokenRequests(deployment.client);
      server = await deployment.start();
    });

    after(async function end() {
      this.timeout(30_000);
      requests?.close();
      await deployment?.end();
      await cluster?.destroy();
    });

    for (const way of ['stop', 'kill'] as const) {
      it(`and is back (${way}): 503 and no token in between, and all goes on`, () =>
        goThroughOutage({ deployment, requests, server }, async (whileItLasts) => {
          await cluster[way]();
          await whileItLasts();
          await cluster.start();
        })).timeout(60_000);

      it(`in the middle of rotations (${way}): no client is lost, and nothing acknowledged is`, async () => {
        const load = await underLoad(async () => {
          await cluster[way]();
          await pause(500);
          await cluster.start();
          await pause(500);
        });
        expect(load.tally.unavailable).to.be.greaterThan(0);
        // As many connections as before, at most: none leaks.
        expect(await connections()).to.be.at.most(10);
      }).timeout(60_000);
    }

    it('for a moment, as connections are cut: no client is lost, and nothing acknowledged is', async () => {
      await underLoad(async () => {
        for (let cut = 0; cut < 20; cut++) {
          await query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keyturn'");
          await pause(50);
        }
      });
    }).timeout(60_000);

    it('by answering no more: 503 after a few seconds, and all goes on with new connections', async () => {
      await goThroughOutage({ deployment, requests, server }, async (whileItLasts) => {
        const stopped = await query<{ pid: number }>("SELECT pid FROM pg_stat_activity WHERE application_name = 'keyturn'");
        const postmaster = cluster.pid();
        const pids = [...stopped.map(({ pid }) => pid), ...(postmaster === undefined ? [] : [postmaster])];
        try {
          pids.forEach((pid) => process.kill(pid, 'SIGSTOP'));
          await whileItLasts();
        } finally {
          pids.forEach((pid) => process.kill(pid, 'SIGCONT'));
        }
      });
    }).timeout(60_000);

    /** Honest clients refresh while `disturb` does its worst; then each repeats its last request, and all must be well. */
    async function underLoad(disturb: () => Promise<void>): Promise<RotationLoad> {
      const load = rotationLoad(await deployment.grants(50), requests);
      const running = load.start(server.url);
      await pause(200);
      await disturb();
      await running.stop();
      await load.repeatLast(server.url);
      expect(load.violations).to.deep.equal([]);
      expect(load.tally.lost).to.equal(0);
      expect(load.tally.acknowledged).to.be.greaterThan(100);
      const recorded = await deployment.recorded(load.clients.map(({ grantId }) => grantId));
      const acknowledged = load.clients.map(({ token }) => deployment.credentials.proveRefreshToken(token)?.generation);
      expect(recorded.map(({ generation }) => generation)).to.deep.equal(acknowledged);
      expect(server.log.filter(({ event }) => event === 'refresh_token_ahead_of_database')).to.deep.equal([]);
      return load;
    }

    async function connections(): Promise<number> {
      return (await query("SELECT pid FROM pg_stat_activity WHERE application_name = 'keyturn'")).length;
    }

    async function query<Row extends pg.QueryResultRow>(statement: string): Promise<readonly Row[]> {
      const client = new pg.Client({ connectionString: cluster.url });
      await client.connect();
      try {
        return (await client.query<Row>(statement)).rows;
      } finally {
        await client.end();
      }
    }
  });
});
