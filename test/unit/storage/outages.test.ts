import { expect } from 'chai';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import type { Advance } from '../../../src/grants/grants.ts';
import { clientsIn } from '../../../src/storage/clients.ts';
import { type Database, databaseOn } from '../../../src/storage/database.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { checkDatabase } from '../../../src/storage/health.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { connectPostgres } from '../../../src/storage/postgres.ts';
import { connectSqlite } from '../../../src/storage/sqlite.ts';
import { sqliteDatabases } from '../../support/databases.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { type PostgresCluster, startPostgresCluster } from '../../support/postgres-cluster.ts';
import { clientAndUser, clientRecord, newGrant, rejection } from './records.ts';

const CONNECTIONS = 4;

/** A grant at generation 0, and the advance to the next. */
async function waiting(database: Database): Promise<Advance> {
  const { clientId, userId } = await clientAndUser(database);
  const grant = newGrant({ clientId, userId });
  await grantsIn(database).create(grant);
  return { grantId: grant.id, clientId, from: 0, to: 1, now: 1010, lifetimeSeconds: 60 };
}

describe('an outage of SQLite', () => {
  const databases = sqliteDatabases();
  let path: string;
  let database: Database;
  let advance: Advance;

  beforeEach(async () => {
    const location = await databases.create();
    path = location.kind === 'sqlite' ? location.path : '';
    database = databaseOn(await connectSqlite(path, 50));
    await migrateUp(database);
    advance = await waiting(database);
  });

  afterEach(() => database.close());

  after(() => databases.dispose());

  async function isRefusedThenWorks(begin: () => Promise<unknown>, end: () => Promise<unknown>): Promise<void> {
    const grants = grantsIn(database);
    await begin();
    const refused = [
      grants.advance(advance),
      grants.revoke(advance.grantId, 'operator', 1010),
      grants.create(newGrant({ clientId: advance.clientId, userId: 'anyone' })),
      clientsIn(database).create(clientRecord()),
    ];
    for (const error of await Promise.all(refused.map(rejection))) {
      expect(error).to.be.instanceOf(StorageUnavailable);
    }
    expect(await grants.find(advance.grantId)).to.include({ generation: 0, revokedAt: undefined });
    await end();
    expect(await grants.advance(advance)).to.include({ generation: 1 });
    expect(await clientsIn(database).create(clientRecord())).to.equal(true);
    // What was just acknowledged is there for others: no transaction was left open by those that failed.
    const other = await openDatabase({ kind: 'sqlite', path });
    expect(await grantsIn(other).find(advance.grantId)).to.include({ generation: 1 });
    await other.close();
  }

  it('refuses writes while another process keeps the lock', async () => {
    const other = await openDatabase({ kind: 'sqlite', path });
    await isRefusedThenWorks(
      async () => {
        // Without a handle of its own, the transaction stays open on the one connection.
        await other.rows('BEGIN IMMEDIATE', []);
      },
      () => other.rows('ROLLBACK', []),
    );
    await other.close();
  });

  it('refuses writes while the file is read-only', () =>
    isRefusedThenWorks(
      () => database.rows('PRAGMA query_only = ON', []),
      () => database.rows('PRAGMA query_only = OFF', []),
    ));

  it('refuses what does not fit on a full disk, whole, and goes on when there is room', async () => {
    const grants = grantsIn(database);
    const [pages] = await database.rows<{ page_count: number }>('PRAGMA page_count', []);
    await database.rows(`PRAGMA max_page_count = ${pages?.page_count}`, []);
    const big = clientRecord({ metadata: { ...clientRecord().metadata, client_name: 'x'.repeat(100_000) } });
    expect(await rejection(clientsIn(database).create(big))).to.be.instanceOf(StorageUnavailable);
    // The connection is out of the transaction that failed.
    expect(await grants.advance(advance)).to.include({ generation: 1 });
    await database.rows('PRAGMA max_page_count = 1000000', []);
    expect(await clientsIn(database).create(big)).to.equal(true);
  });
});

describe('an outage of PostgreSQL', () => {
  before(skipWithoutPostgres);

  describe('on a server of its own', function onItsOwn() {
    this.timeout(60_000);
    let cluster: PostgresCluster;
    let database: Database;
    let advance: Advance;

    before(async () => {
      cluster = await startPostgresCluster();
      database = databaseOn(await connectPostgres(cluster.url, { limits: { connections: CONNECTIONS, statementMilliseconds: 500 } }));
      await migrateUp(database);
    });

    beforeEach(async () => {
      advance = await waiting(database);
    });

    after(async () => {
      await database?.close();
      await cluster?.destroy();
    });

    for (const way of ['stop', 'kill'] as const) {
      it(`is over as soon as the server is back (${way})`, async () => {
        const grants = grantsIn(database);
        await cluster[way]();
        for (let i = 0; i < 5; i++) {
          expect(await rejection(grants.advance(advance))).to.be.instanceOf(StorageUnavailable);
        }
        expect(await rejection(checkDatabase(database))).to.be.instanceOf(StorageUnavailable);
        await cluster.start();
        expect(await grants.advance(advance)).to.include({ generation: 1 });
        await checkDatabase(database);
      });
    }

    it('of one connection costs what was under way on it, and nothing else', async () => {
      const sleeping = rejection(database.rows('SELECT pg_sleep(10)', []));
      await database.rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'", []);
      expect(await sleeping).to.be.instanceOf(StorageUnavailable);
      expect(await grantsIn(database).advance(advance)).to.include({ generation: 1 });
    });

    it('ends a statement that takes too long', async () => {
      const error = await rejection(database.rows('SELECT pg_sleep(10)', []));
      expect(error).to.be.instanceOf(StorageUnavailable);
      expect(error.cause).to.have.property('code', '57014');
      expect(await grantsIn(database).advance(advance)).to.include({ generation: 1 });
    });

    it('does not wait for a server that no longer answers, and uses such a connection no more', async () => {
      const stopped = await backends(database);
      for (const pid of stopped) {
        process.kill(pid, 'SIGSTOP');
      }
      try {
        const outcomes = await Promise.allSettled(Array.from({ length: stopped.length }, () => database.rows('SELECT 1', [])));
        for (const outcome of outcomes) {
          expect(outcome.status === 'rejected' && outcome.reason).to.be.instanceOf(StorageUnavailable);
        }
        expect(await grantsIn(database).advance(advance)).to.include({ generation: 1 });
        expect(await backends(database)).not.to.include.oneOf([...stopped]);
      } finally {
        for (const pid of stopped) {
          process.kill(pid, 'SIGCONT');
        }
      }
    });
  });
});

/** The server's process for each connection that can be open at once. */
async function backends(database: Database): Promise<readonly number[]> {
  const rows = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => database.rows<{ pid: number }>('SELECT pg_backend_pid() AS pid, pg_sleep(0.1)', [])),
  );
  return [...new Set(rows.flat().map(({ pid }) => pid))];
}
