import { chmod, open, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import type { DatabaseLocation } from '../../../src/config/config.ts';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import { clientsIn } from '../../../src/storage/clients.ts';
import { DatabaseOpenError } from '../../../src/storage/database-open-error.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { checkDatabase } from '../../../src/storage/health.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { onEachDatabase, postgresDatabases, sqliteDatabases } from '../../support/databases.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { clientAndUser, clientRecord, newGrant, rejection } from './records.ts';

async function refusal(location: DatabaseLocation): Promise<string> {
  const error = await rejection(openDatabase(location));
  expect(error).to.be.instanceOf(DatabaseOpenError);
  expect(error.message).not.to.contain('\n');
  return error.message;
}

onEachDatabase('an open database', (databases) => {
  it('is well, and closes once however often it is asked to', async () => {
    const database = await openDatabase(await databases.create());
    await migrateUp(database);
    await checkDatabase(database);
    await Promise.all([database.close(), database.close()]);
    expect(await rejection(checkDatabase(database))).to.be.instanceOf(StorageUnavailable);
  });

  it('keeps what it was given', async () => {
    const location = await databases.create();
    const first = await openDatabase(location);
    await migrateUp(first);
    const record = clientRecord();
    await clientsIn(first).create(record);
    await first.close();
    const second = await openDatabase(location);
    expect(await clientsIn(second).find(record.id)).to.deep.equal(record);
    await second.close();
  });

  it('names no value in the text of an error', async () => {
    const database = await openDatabase(await databases.create());
    const error = await rejection(database.rows('SELECT * FROM missing WHERE secret = ?', ['hunter2']));
    expect(error).not.to.be.instanceOf(StorageUnavailable);
    expect(error.message).to.contain('missing').and.not.to.contain('hunter2');
    await database.close();
  });

  it('undoes a transaction that fails', async () => {
    const database = await openDatabase(await databases.create());
    await migrateUp(database);
    const failing = database.transaction(async (transaction) => {
      await transaction('revisions').insert({ name: 'clients', value: 1 });
      throw new Error('changed my mind');
    });
    expect((await rejection(failing)).message).to.equal('changed my mind');
    expect(await database.rows('SELECT * FROM revisions', [])).to.deep.equal([]);
    await database.close();
  });
});

describe('a SQLite database', () => {
  const databases = sqliteDatabases();
  let path: string;

  beforeEach(async () => {
    const location = await databases.create();
    path = location.kind === 'sqlite' ? location.path : '';
  });

  after(() => databases.dispose());

  it('is made with its folder, for this account alone', async () => {
    const deep = join(dirname(path), 'a', 'b', 'keyturn.sqlite');
    const database = await openDatabase({ kind: 'sqlite', path: deep });
    await migrateUp(database);
    const modes = await Promise.all(
      [dirname(deep), deep, `${deep}-wal`, `${deep}-shm`].map(async (file) => (await stat(file)).mode & 0o777),
    );
    expect(modes).to.deep.equal([0o700, 0o600, 0o600, 0o600]);
    await database.close();
  });

  it('is durable: a write-ahead log that is flushed at every commit', async () => {
    const database = await openDatabase({ kind: 'sqlite', path });
    const settings = await Promise.all(
      ['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout', 'mmap_size'].map(async (name) => {
        const [row] = await database.rows<Readonly<Record<string, unknown>>>(`PRAGMA ${name}`, []);
        return row === undefined ? undefined : Object.values(row)[0];
      }),
    );
    expect(settings).to.deep.equal(['wal', 2, 1, 2, 0]);
    await database.close();
  });

  it('leaves one file behind when it is closed', async () => {
    const database = await openDatabase({ kind: 'sqlite', path });
    await migrateUp(database);
    await database.close();
    expect(await rejection(stat(`${path}-wal`))).to.have.property('code', 'ENOENT');
  });

  it('does not open when the file is damaged, and is left as it is', async () => {
    const database = await openDatabase({ kind: 'sqlite', path });
    await migrateUp(database);
    const parties = await clientAndUser(database);
    await Promise.all(Array.from({ length: 200 }, () => grantsIn(database).create(newGrant(parties))));
    await database.close();
    const file = await open(path, 'r+');
    await file.write(Buffer.alloc(3 * 4096, 0xa5), 0, 3 * 4096, 2 * 4096);
    await file.close();
    const damaged = await readFile(path);
    expect(await refusal({ kind: 'sqlite', path }))
      .to.contain(path)
      .and.contain('damaged')
      .and.contain('put a backup in its place');
    expect((await readFile(path)).equals(damaged)).to.equal(true);
  });

  it('does not open when the file is something else', async () => {
    await writeFile(path, 'This is no database. '.repeat(300));
    expect(await refusal({ kind: 'sqlite', path })).to.contain('damaged');
  });

  it('does not open when it is gone and its log is still there', async () => {
    await writeFile(`${path}-wal`, 'acknowledged');
    expect(await refusal({ kind: 'sqlite', path })).to.contain('is missing');
    expect(await rejection(stat(path))).to.have.property('code', 'ENOENT');
  });

  it('does not open in memory, nor where a folder is', async () => {
    expect(await refusal({ kind: 'sqlite', path: ':memory:' })).to.contain('needs a file');
    expect(await refusal({ kind: 'sqlite', path: dirname(path) })).to.contain('cannot be opened');
  });

  it('does not open when it may not be written', async function readOnly() {
    await (await openDatabase({ kind: 'sqlite', path })).close();
    if (process.getuid?.() === 0) {
      // No mode keeps root from writing.
      this.skip();
    }
    await chmod(path, 0o400);
    expect(await refusal({ kind: 'sqlite', path })).to.contain('cannot be opened');
  });

  it('is not well when its file was deleted or replaced', async () => {
    const database = await openDatabase({ kind: 'sqlite', path });
    await migrateUp(database);
    const content = await readFile(path);
    await rm(path);
    expect(await rejection(checkDatabase(database))).to.be.instanceOf(StorageUnavailable);
    await writeFile(path, content);
    expect((await rejection(checkDatabase(database))).message).to.contain('replaced');
    await database.close();
  });
});

describe('a PostgreSQL database', () => {
  before(skipWithoutPostgres);

  describe('on a server', () => {
    const databases = postgresDatabases();
    let url: URL;

    before(async () => {
      const location = await databases.create();
      url = new URL(location.kind === 'postgres' ? location.url : '');
    });

    after(() => databases.dispose());

    it('is durable, decides by what others committed, and names itself', async () => {
      const database = await openDatabase({ kind: 'postgres', url: url.href });
      const settings = await Promise.all(
        ['synchronous_commit', 'default_transaction_isolation', 'statement_timeout', 'application_name'].map(async (name) => {
          const [row] = await database.rows<{ setting: string }>('SELECT current_setting(?) AS setting', [name]);
          return row?.setting;
        }),
      );
      expect(settings).to.deep.equal(['on', 'read committed', '5s', 'keyturn']);
      await database.close();
    });

    it('does not open with a wrong password, and does not tell the one it tried', async () => {
      const wrong = new URL(url);
      wrong.password = 'hunter2';
      const line = await refusal({ kind: 'postgres', url: wrong.href });
      expect(line).to.contain(url.host).and.contain('password authentication failed').and.not.contain('hunter2');
    });

    it('does not open when it does not exist, nobody listens, or the URL is none', async () => {
      const missing = new URL(url);
      missing.pathname = '/no_such_database';
      expect(await refusal({ kind: 'postgres', url: missing.href })).to.contain('no_such_database');
      expect(await refusal({ kind: 'postgres', url: 'postgres://user:hunter2@127.0.0.1:1/x' }))
        .to.contain('ECONNREFUSED')
        .and.not.contain('hunter2');
      expect(await refusal({ kind: 'postgres', url: 'postgres://user:hunter2@[bad/x' })).not.to.contain('hunter2');
    });
  });
});
