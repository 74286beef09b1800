import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { expect } from 'chai';
import pg from 'pg';
import type { DatabaseLocation } from '../../../src/config/config.ts';
import { onEachDatabase } from '../../support/databases.ts';

onEachDatabase('a database for a suite', (database) => {
  let first: DatabaseLocation;

  before(async () => {
    first = await database.create();
    await write(first);
  });

  it('is of the kind the suite runs on', () => {
    expect(first.kind).to.equal(database.kind);
  });

  it('is fresh each time', async () => {
    const other = await database.create();
    expect(other).to.not.deep.equal(first);
    expect(await isEmpty(other)).to.equal(true);
    expect(await isEmpty(first)).to.equal(false);
  });

  it('is gone after its disposal', async () => {
    const other = await database.create();
    await write(other);
    await database.dispose();
    expect(await isThere(other)).to.equal(false);
    expect(await isThere(first)).to.equal(false);
  });
});

async function write(location: DatabaseLocation): Promise<void> {
  if (location.kind === 'sqlite') {
    await writeFile(location.path, '');
  } else {
    await rows(location.url, 'CREATE TABLE written (id integer)');
  }
}

async function isEmpty(location: DatabaseLocation): Promise<boolean> {
  if (location.kind === 'sqlite') {
    return !existsSync(location.path);
  }
  const tables = await rows(location.url, `SELECT FROM pg_class WHERE relname = 'written'`);
  return tables.length === 0;
}

async function isThere(location: DatabaseLocation): Promise<boolean> {
  if (location.kind === 'sqlite') {
    return existsSync(location.path);
  }
  try {
    await rows(location.url, 'SELECT 1');
    return true;
  } catch (error) {
    // 3D000: the database does not exist.
    expect(error).to.have.property('code', '3D000');
    return false;
  }
}

async function rows(url: string, statement: string): Promise<readonly unknown[]> {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}
