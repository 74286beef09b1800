import { expect } from 'chai';
import { migrations } from '../../../migrations/index.ts';
import type { Migration } from '../../../migrations/migration.ts';
import type { DatabaseLocation } from '../../../src/config/config.ts';
import type { Database } from '../../../src/storage/database.ts';
import { DatabaseOpenError } from '../../../src/storage/database-open-error.ts';
import { migrateDown, migrateUp, migrationStatus } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { type NodeProcess, startNode } from './processes.ts';
import { rejection } from './records.ts';

const TABLES = [
  'clients',
  'users',
  'grants',
  'consents',
  'sessions',
  'revoked_access_tokens',
  'login_attempts',
  'revisions',
  'totp_factors',
  'recovery_codes',
];
const NAMES = migrations.map(({ name }) => name);

onEachDatabase('migrations', (databases) => {
  let location: DatabaseLocation;
  let database: Database;
  const nodes: NodeProcess[] = [];

  beforeEach(async () => {
    location = await databases.create();
    database = await openDatabase(location);
  });

  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.kill()));
    await database.close();
  });

  function start(...rest: readonly string[]): NodeProcess {
    const node = startNode('./migrate-process.ts', location, ...rest);
    nodes.push(node);
    return node;
  }

  async function tables(): Promise<readonly string[]> {
    const present = await Promise.all(TABLES.map((table) => database.run((knex) => knex.schema.hasTable(table))));
    return TABLES.filter((_, index) => present[index]);
  }

  it('have names in order, each once', () => {
    expect(NAMES).to.deep.equal([...new Set(NAMES)].toSorted());
  });

  it('make the tables, unmake them, and make them again', async () => {
    expect(await migrateUp(database)).to.deep.equal(NAMES);
    expect(await tables()).to.deep.equal(TABLES);
    for (const name of NAMES.toReversed()) {
      expect(await migrateDown(database)).to.equal(name);
    }
    expect(await tables()).to.deep.equal([]);
    expect(await migrateDown(database)).to.equal(undefined);
    expect(await migrateUp(database)).to.deep.equal(NAMES);
    expect(await tables()).to.deep.equal(TABLES);
  });

  it('say what is applied and what is to come', async () => {
    const status = await migrationStatus(database);
    expect(status).to.deep.equal(NAMES.map((name) => ({ name, appliedAt: undefined })));
    await migrateUp(database);
    for (const { appliedAt } of await migrationStatus(database)) {
      expect(appliedAt).to.be.closeTo(Date.now() / 1000, 60);
    }
  });

  it('apply only what is missing, and leave nothing of one that fails', async () => {
    await migrateUp(database);
    const failing: Migration = {
      name: '9998-failing',
      async up(transaction) {
        await transaction.schema.createTable('half_done', (table) => void table.integer('id'));
        throw new Error('no further');
      },
      down: async () => undefined,
    };
    expect((await rejection(migrateUp(database, [...migrations, failing]))).message).to.equal('no further');
    expect(await database.run((knex) => knex.schema.hasTable('half_done'))).to.equal(false);
    expect(await migrateUp(database)).to.deep.equal([]);
  });

  it('only read a database that is up to date', async () => {
    await migrateUp(database);
    const writer = await openDatabase(location);
    try {
      await writer.transaction(async (transaction) => {
        // Whoever takes the lock now would wait for this transaction, which waits for them.
        await transaction.raw(
          database.kind === 'sqlite' ? 'UPDATE revisions SET value = value' : 'LOCK TABLE migrations IN SHARE ROW EXCLUSIVE MODE',
        );
        expect(await migrateUp(database)).to.deep.equal([]);
      });
    } finally {
      await writer.close();
    }
  });

  it('refuse a database that is newer than the server', async () => {
    await migrateUp(database);
    await database.rows('INSERT INTO migrations (name, applied_at) VALUES (?, ?)', ['9999-from-the-future', 1]);
    for (const attempt of [migrateUp, migrateDown, migrationStatus]) {
      const error = await rejection(attempt(database));
      expect(error).to.be.instanceOf(DatabaseOpenError);
      expect(error.message).to.contain('9999-from-the-future');
    }
    expect(await tables()).to.deep.equal(TABLES);
  });

  it('are applied once when several nodes start at the same moment', async function sameMoment() {
    this.timeout(30_000);
    const started = [start(), start(), start()];
    for (const node of started) {
      expect(await node.line()).to.equal('ready');
    }
    for (const node of started) {
      node.go();
    }
    const applied = await Promise.all(started.map((node) => node.line()));
    expect(applied.toSorted()).to.deep.equal(['0', '0', String(NAMES.length)]);
    expect(await tables()).to.deep.equal(TABLES);
  });

  it('wait for whoever is writing, and decide by what that one left', async () => {
    await migrateUp(database);
    for (const _ of NAMES) {
      await migrateDown(database);
    }
    const writer = await openDatabase(location);
    let migrating: Promise<readonly string[]> = Promise.resolve([]);
    try {
      await writer.transaction(async (transaction) => {
        await transaction('migrations').insert({ name: 'passing', applied_at: 1 });
        await transaction('migrations').where({ name: 'passing' }).delete();
        migrating = migrateUp(database);
        if (database.kind === 'sqlite') {
          // By the first of these the migration has read, or has begun to wait without having read: only the latter may go on.
          await sent(database, /^PRAGMA application_id|^create table `clients`/);
        }
      });
      expect(await migrating).to.deep.equal(NAMES);
    } finally {
      await writer.close();
    }
  });

  it('start anew after a node was killed in the middle, and wait for nobody', async function killed() {
    this.timeout(30_000);
    const node = start('stuck');
    expect(await node.line()).to.equal('ready');
    node.go();
    expect(await node.line()).to.equal('inside');
    await node.kill();
    expect(await migrateUp(database)).to.deep.equal(NAMES);
    expect(await database.run((knex) => knex.schema.hasTable('half_done'))).to.equal(false);
  });
});

/** Resolves when a statement like that was sent to the database. */
function sent(database: Database, statement: RegExp): Promise<void> {
  return database.run(
    (knex) =>
      new Promise((resolve) => {
        knex.client.on('query', ({ sql }: { readonly sql: string }) => statement.test(sql) && resolve());
      }),
  );
}
