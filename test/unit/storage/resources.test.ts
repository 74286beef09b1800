import { expect } from 'chai';
import type { ResourceRecord, ResourceStore } from '../../../src/resources/resource.ts';
import type { Database } from '../../../src/storage/database.ts';
import { resourcesIn } from '../../../src/storage/resources.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { openMigrated } from './records.ts';

const record = (identifier: string, changes: Partial<ResourceRecord> = {}): ResourceRecord => ({
  identifier,
  metadata: { resource_name: '주문 "API"', scopes_supported: ['a', 'b'], access_token_ttl: 60, access_token_signed_response_alg: 'ES256' },
  createdAt: 100,
  updatedAt: 100,
  version: 1,
  ...changes,
});

const names = (records: readonly ResourceRecord[]) => records.map(({ identifier }) => identifier);

onEachDatabase('resources in the database', (databases) => {
  let database: Database;
  let resources: ResourceStore;

  beforeEach(async () => {
    database = await openMigrated(databases);
    resources = resourcesIn(database);
  });

  afterEach(() => database.close());

  async function revision(): Promise<number> {
    const [row] = await database.rows<{ value: number }>("SELECT value FROM revisions WHERE name = 'resources'", []);
    return row?.value ?? 0;
  }

  it('are given back as they were stored, the longest identifier included', async () => {
    for (const one of [record('urn:a'), record(`https://api.example/${'x'.repeat(1980)}`, { metadata: {} })]) {
      expect(await resources.create(one)).to.equal(true);
      expect(await resources.find(one.identifier)).to.deep.equal(one);
    }
    expect(await resources.find('urn:b')).to.equal(undefined);
  });

  it('are not created over one another', async () => {
    const outcomes = await Promise.all([1, 2, 3].map((updatedAt) => resources.create(record('urn:a', { updatedAt }))));
    expect(outcomes.filter(Boolean)).to.have.length(1);
    expect(await revision()).to.equal(1);
  });

  it('are replaced only by whoever saw the present version, and keep the date of their creation', async () => {
    await resources.create(record('urn:a'));
    const [one, other] = [record('urn:a', { metadata: {}, updatedAt: 200, createdAt: 9 }), record('urn:a', { updatedAt: 300 })];
    expect(await Promise.all([resources.replace(one), resources.replace(other)])).to.deep.equal([true, false]);
    expect(await resources.find('urn:a')).to.deep.equal({ ...one, createdAt: 100, version: 2 });
    expect(await resources.replace(record('urn:b'))).to.equal(false);
  });

  it('move the revision with every change, and only then', async () => {
    await resources.create(record('urn:a'));
    await resources.replace(record('urn:a'));
    expect(await revision()).to.equal(2);
    await resources.replace(record('urn:a'));
    expect(await resources.delete('urn:b')).to.equal(false);
    expect(await revision()).to.equal(2);
    expect(await resources.delete('urn:a')).to.equal(true);
    expect(await revision()).to.equal(3);
    expect(await resources.find('urn:a')).to.equal(undefined);
  });

  it('are listed in order, page by page or all', async () => {
    for (const identifier of ['urn:b', 'https://B.example', 'urn:a', 'urn:B']) {
      await resources.create(record(identifier));
    }
    expect(names(await resources.list({}))).to.deep.equal(['https://B.example', 'urn:B', 'urn:a', 'urn:b']);
    expect(names(await resources.list({ limit: 2 }))).to.deep.equal(['https://B.example', 'urn:B']);
    expect(names(await resources.list({ limit: 2, after: 'urn:B' }))).to.deep.equal(['urn:a', 'urn:b']);
  });
});
