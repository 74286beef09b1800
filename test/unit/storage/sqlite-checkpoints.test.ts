import { stat } from 'node:fs/promises';
import { expect } from 'chai';
import type { Database } from '../../../src/storage/database.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { sqliteDatabases } from '../../support/databases.ts';

const MEBIBYTE = 1024 * 1024;

describe('the log of a SQLite file', () => {
  const databases = sqliteDatabases();
  let path: string;
  let database: Database;

  beforeEach(async () => {
    const location = await databases.create();
    path = location.kind === 'sqlite' ? location.path : '';
    database = await openDatabase(location);
    await database.rows('CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)', []);
  });

  afterEach(() => database.close());

  after(() => databases.dispose());

  /** Far fewer pages than a write would write back by itself. */
  async function write(count: number): Promise<void> {
    for (let written = 0; written < count; written++) {
      await database.rows('INSERT INTO notes (text) VALUES (?)', ['x'.repeat(2000)]);
    }
  }

  const pagesInFile = async (): Promise<number> => (await stat(path)).size / 4096;

  it('is written back beside those who write, once there were some', async () => {
    const before = await pagesInFile();
    await write(10);
    expect(await pagesInFile()).to.equal(before);
    await write(140);
    const until = performance.now() + 10_000;
    while ((await pagesInFile()) < before + 40 && performance.now() < until) {
      await new Promise(setImmediate);
    }
    expect(await pagesInFile()).to.be.at.least(before + 40);
  });

  it('is not written back for what only reads', async () => {
    await write(10);
    const before = await pagesInFile();
    for (let read = 0; read < 200; read++) {
      await database.rows('SELECT count(*) FROM notes', []);
    }
    expect(await pagesInFile()).to.equal(before);
  });

  it('begins anew under a load without pauses', async () => {
    // Twenty pages each: 32 MiB in all, of which a log of 32 MiB would have every page.
    for (let written = 0; written < 400; written++) {
      await database.rows('INSERT INTO notes (text) VALUES (?)', ['x'.repeat(80_000)]);
    }
    expect((await stat(`${path}-wal`)).size / MEBIBYTE).to.be.below(24);
  });

  it('has all of it in the file when it is closed in the middle of that', async () => {
    await write(150);
    await database.close();
    expect(await pagesInFile()).to.be.at.least(75);
    database = await openDatabase({ kind: 'sqlite', path });
    expect(await database.rows('SELECT count(*) AS written FROM notes', [])).to.deep.equal([{ written: 150 }]);
  });
});
