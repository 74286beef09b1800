import { expect } from 'chai';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import { type Database, databaseOn } from '../../../src/storage/database.ts';
import { connectSqlite } from '../../../src/storage/sqlite.ts';
import { untilUnlocked } from '../../../src/storage/sqlite-locks.ts';
import { sqliteDatabases } from '../../support/databases.ts';
import { rejection } from './records.ts';

const busy = (): Error => Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' });

describe('a statement of SQLite that meets the lock of another process', () => {
  it('is tried until it gets the lock', async () => {
    let tries = 0;
    const result = await untilUnlocked(60_000, () => (++tries < 500 ? Promise.reject(busy()) : Promise.resolve('done')));
    expect([result, tries]).to.deep.equal(['done', 500]);
  });

  it('is given up when the lock is not to be had for as long as that', async () => {
    const startedAt = performance.now();
    expect(await rejection(untilUnlocked(30, () => new Promise((_, reject) => setTimeout(() => reject(busy()), 1))))).to.include({
      code: 'SQLITE_BUSY',
    });
    expect(performance.now() - startedAt).to.be.within(20, 2000);
  });

  it('is not tried again after another failure', async () => {
    let tries = 0;
    const failure = new Error('disk full');
    expect(await rejection(untilUnlocked(1000, () => Promise.reject(++tries === 1 ? failure : busy())))).to.equal(failure);
    expect(tries).to.equal(1);
  });

  describe('in a file that two have open', () => {
    const databases = sqliteDatabases();
    let database: Database;
    let other: Database;

    beforeEach(async () => {
      const location = await databases.create();
      const path = location.kind === 'sqlite' ? location.path : '';
      database = databaseOn(await connectSqlite(path, 60_000));
      other = databaseOn(await connectSqlite(path, 50));
      await database.rows('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)', []);
    });

    afterEach(async () => {
      await Promise.all([database.close(), other.close()]);
    });

    after(() => databases.dispose());

    const insert = "INSERT INTO notes (text) VALUES ('written') RETURNING text";
    const WAYS: Readonly<Record<string, () => Promise<unknown>>> = {
      'compiled once': () => database.rows(insert, []),
      'by Knex': () => database.run((knex) => knex('notes').insert({ text: 'written' }).returning('text')),
      'in a transaction': () => database.transaction((transaction) => transaction('notes').insert({ text: 'written' }).returning('text')),
    };

    for (const [way, write] of Object.entries(WAYS)) {
      it(`waits for it, and is done once (${way})`, async () => {
        await other.rows('BEGIN IMMEDIATE', []);
        const written = write();
        // Many times what SQLite waits by itself; and not at all, where the statement was refused.
        await Promise.race([written, new Promise((resolve) => setTimeout(resolve, 100))]);
        await other.rows('COMMIT', []);
        expect(await written).to.deep.equal([{ text: 'written' }]);
        expect(await other.rows('SELECT text FROM notes', [])).to.deep.equal([{ text: 'written' }]);
      });

      it(`has changed nothing when it waited in vain (${way})`, async () => {
        const impatient = other;
        await database.rows('BEGIN IMMEDIATE', []);
        [database, other] = [impatient, database];
        expect(await rejection(write())).to.be.instanceOf(StorageUnavailable);
        await other.rows('COMMIT', []);
        await database.rows("INSERT INTO notes (text) VALUES ('after') RETURNING text", []);
        expect(await other.rows('SELECT text FROM notes', [])).to.deep.equal([{ text: 'after' }]);
      });
    }
  });
});
