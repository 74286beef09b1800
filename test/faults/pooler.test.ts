import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import pg from 'pg';
import { type Deployment, prepareDeployment } from '../support/deployment.ts';
import { type Pooler, skipWithoutPgbouncer, startPgbouncer } from '../support/pgbouncer.ts';
import { skipWithoutPostgres } from '../support/postgres.ts';
import { type PostgresCluster, startPostgresCluster } from '../support/postgres-cluster.ts';
import { rotationLoad } from '../support/rotation-load.ts';
import { freePort, type ServerProcess } from '../support/server-process.ts';
import { type TokenRequests, tokenRequests } from '../support/token-requests.ts';

const CLIENTS = 60;

describe('two nodes behind a PgBouncer in transaction mode (DATABASE_POOLER)', () => {
  before(skipWithoutPostgres);
  before(skipWithoutPgbouncer);

  describe('with three connections for both', () => {
    let cluster: PostgresCluster;
    let pooler: Pooler;
    let deployment: Deployment;
    let requests: TokenRequests;
    let nodes: readonly [ServerProcess, ServerProcess];

    before(async function prepare() {
      this.timeout(90_000);
      cluster = await startPostgresCluster();
      pooler = await startPgbouncer(cluster.url, 3);
      deployment = await prepareDeployment(
        { kind: 'postgres', url: pooler.url },
        { REFRESH_TOKEN_GRACE: '60s', DATABASE_POOLER: 'on', DATABASE_LISTEN_URL: cluster.url },
      );
      requests = tokenRequests(deployment.client);
      nodes = await Promise.all([deployment.start(), deployment.start({ PORT: String(await freePort()) })]);
    });
    after(async function end() {
      this.timeout(30_000);
      requests?.close();
      await deployment?.end();
      await pooler?.stop();
      await cluster?.destroy();
    });

    it('rotate as ever, and lose nothing when the connections are cut', async function rotate() {
      this.timeout(60_000);
      const loads = [rotationLoad(await deployment.grants(CLIENTS), requests), rotationLoad(await deployment.grants(CLIENTS), requests)];
      const running = loads.map((load, index) => load.start(nodes[index % 2 === 0 ? 0 : 1].url));
      await pause(700);
      const client = new pg.Client({ connectionString: cluster.url });
      await client.connect();
      await client.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keyturn'");
      await client.end();
      await pause(1500);
      await Promise.all(running.map((each) => each.stop()));
      for (const load of loads) {
        expect(load.violations).to.deep.equal([]);
        expect(load.tally.acknowledged).to.be.greaterThan(CLIENTS);
        const recorded = await deployment.recorded(load.clients.map(({ grantId }) => grantId));
        const held = load.clients.map(({ token }) => deployment.credentials.proveRefreshToken(token)?.generation ?? 0);
        for (const [index, { revokedAt, generation }] of recorded.entries()) {
          expect(revokedAt).to.equal(undefined);
          expect(generation).to.be.within(held[index] ?? Number.NaN, (held[index] ?? 0) + 1);
        }
      }
    });

    it('redeem a code once between them', async () => {
      for (const { form } of await deployment.codes(10)) {
        const outcomes = await Promise.all([...nodes, ...nodes].map(({ url }) => requests.post(`${url}/token`, form)));
        const statuses = outcomes.map((outcome) => (outcome.kind === 'answer' ? outcome.status : 0)).toSorted((one, other) => one - other);
        expect(statuses).to.deep.equal([200, 400, 400, 400]);
      }
    });

    it('hear of a change at once, by way of the server itself', async () => {
      const client = new pg.Client({ connectionString: cluster.url });
      await client.connect();
      const { rows } = await client.query(
        "SELECT count(*)::int AS listening FROM pg_stat_activity WHERE application_name = 'keyturn listener'",
      );
      await client.end();
      expect(rows).to.deep.equal([{ listening: 2 }]);
    });

    it('do not start with a role that would answer before its writes are on disk', async function unsafe() {
      this.timeout(30_000);
      const client = new pg.Client({ connectionString: cluster.url });
      await client.connect();
      const { rows } = await client.query<{ role: string }>('SELECT current_user AS role');
      const role = rows[0]?.role ?? '';
      await client.query(`ALTER ROLE "${role}" SET synchronous_commit = 'off'`);
      const fresh = await startPgbouncer(cluster.url, 1);
      try {
        const exit = await deployment.refusesToStart({ DATABASE_URL: fresh.url, PORT: '0' });
        expect(exit.code).to.equal(2);
        expect(exit.stderr).to.match(/^keyturn: Behind a pooler .*ALTER ROLE … SET synchronous_commit = 'on'/);
      } finally {
        await client.query(`ALTER ROLE "${role}" RESET synchronous_commit`);
        await client.end();
        await fresh.stop();
      }
    });
  });
});
