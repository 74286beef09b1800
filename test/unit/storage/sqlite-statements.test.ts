import { expect } from 'chai';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import { type Database, databaseOn } from '../../../src/storage/database.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { connectSqlite } from '../../../src/storage/sqlite.ts';
import { sqliteDatabases } from '../../support/databases.ts';
import { rejection } from './records.ts';

describe('statements that SQLite compiles once', () => {
  const databases = sqliteDatabases();
  let path: string;
  let database: Database;

  beforeEach(async () => {
    const location = await databases.create();
    path = location.kind === 'sqlite' ? location.path : '';
    database = databaseOn(await connectSqlite(path, 50));
    await database.rows('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)', []);
  });

  afterEach(() => database.close());

  after(() => databases.dispose());

  async function seenByOthers(): Promise<readonly unknown[]> {
    const other = await openDatabase({ kind: 'sqlite', path });
    const rows = await other.rows<{ readonly text: string }>('SELECT text FROM notes ORDER BY id', []);
    await other.close();
    return rows.map(({ text }) => text);
  }

  it('answer each run with what it selects then', async () => {
    for (const text of ['one', 'two', 'three']) {
      expect(await database.rows('INSERT INTO notes (text) VALUES (?) RETURNING text', [text])).to.deep.equal([{ text }]);
    }
    expect(await seenByOthers()).to.deep.equal(['one', 'two', 'three']);
  });

  it('commit what they write after another one met a lock', async () => {
    const other = await openDatabase({ kind: 'sqlite', path });
    const insert = "INSERT INTO notes (text) VALUES ('refused') RETURNING id";
    await other.rows('BEGIN IMMEDIATE', []);
    expect(await rejection(database.rows(insert, []))).to.be.instanceOf(StorageUnavailable);
    await other.rows('ROLLBACK', []);
    await other.close();
    await database.rows("INSERT INTO notes (text) VALUES ('written') RETURNING id", []);
    expect(await seenByOthers()).to.deep.equal(['written']);
    await database.rows(insert, []);
    expect(await seenByOthers()).to.deep.equal(['written', 'refused']);
  });

  it('commit what they write after another one broke a constraint', async () => {
    expect(await rejection(database.rows('INSERT INTO notes (id) VALUES (1), (1) RETURNING id', []))).to.be.instanceOf(Error);
    await database.rows("INSERT INTO notes (text) VALUES ('written') RETURNING id", []);
    expect(await seenByOthers()).to.deep.equal(['written']);
  });

  it('are followed to tables that change', async () => {
    const select = 'SELECT * FROM notes';
    await database.rows("INSERT INTO notes (text) VALUES ('one')", []);
    expect(await database.rows(select, [])).to.deep.equal([{ id: 1, text: 'one' }]);
    await database.rows('ALTER TABLE notes ADD COLUMN more TEXT', []);
    expect(await database.rows(select, [])).to.deep.equal([{ id: 1, text: 'one', more: null }]);
  });

  it('give way to others where a program has very many', async () => {
    for (let number = 0; number < 150; number++) {
      expect(await database.rows(`SELECT ${number} AS number`, [])).to.deep.equal([{ number }]);
    }
    expect(await database.rows('SELECT 0 AS number', [])).to.deep.equal([{ number: 0 }]);
  });
});
