import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import pg from 'pg';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { type PostgresCluster, startPostgresCluster } from '../../support/postgres-cluster.ts';

describe('a PostgreSQL cluster of a test', () => {
  before(skipWithoutPostgres);

  describe('that lives through crashes', () => {
    let cluster: PostgresCluster;

    before(async function () {
      this.timeout(60_000);
      cluster = await startPostgresCluster({ log_min_duration_statement: '0' });
      await query(cluster.url, 'CREATE TABLE kept (id integer)');
    });

    after(async () => {
      await cluster.destroy();
    });

    it('is as durable as in production', async () => {
      expect(await query(cluster.url, 'SHOW fsync')).to.deep.equal([{ fsync: 'on' }]);
      expect(await query(cluster.url, 'SHOW synchronous_commit')).to.deep.equal([{ synchronous_commit: 'on' }]);
    });

    it('takes settings', async () => {
      expect(await query(cluster.url, 'SHOW log_min_duration_statement')).to.deep.equal([{ log_min_duration_statement: '0' }]);
    });

    for (const way of ['kill', 'stop'] as const) {
      it(`keeps its data and its address after ${way} and start`, async function () {
        this.timeout(60_000);
        await query(cluster.url, 'INSERT INTO kept VALUES (1)');
        const [before] = await query(cluster.url, 'SELECT count(*) FROM kept');
        await cluster[way]();
        expect(cluster.pid()).to.equal(undefined);
        expect(await refusal(cluster.url)).to.have.property('code', 'ECONNREFUSED');
        await cluster.start();
        expect(await query(cluster.url, 'SELECT count(*) FROM kept')).to.deep.equal([before]);
      });
    }
  });

  it('ends with the process that started it, and leaves nothing on disk, even after kill -9', async function () {
    this.timeout(60_000);
    const owner = spawn(process.execPath, ['--import=tsx', '--input-type=module', '--eval', OWNER], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = await once(createInterface(owner.stdout), 'line');
    const { url, directory } = JSON.parse(String(line));
    expect(existsSync(directory)).to.equal(true);
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    // Asked for again and again, because nothing tells of it. The folder is the last thing to go; the time limit of the test ends the waiting.
    while (existsSync(directory)) {
      await pause(20);
    }
    expect(await refusal(url)).to.have.property('code', 'ECONNREFUSED');
  });
});

const OWNER = `
  import { dirname } from 'node:path';
  import pg from 'pg';
  import { startPostgresCluster } from '../../support/postgres-cluster.ts';
  const cluster = await startPostgresCluster();
  const client = new pg.Client(cluster.url);
  await client.connect();
  const { rows } = await client.query('SHOW data_directory');
  await client.end();
  console.log(JSON.stringify({ url: cluster.url, directory: dirname(rows[0].data_directory) }));
  setInterval(() => undefined, 1000);
`;

async function query(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

async function refusal(url: string): Promise<unknown> {
  try {
    await query(url, 'SELECT 1');
    return undefined;
  } catch (error) {
    return error;
  }
}
