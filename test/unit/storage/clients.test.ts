import { expect } from 'chai';
import type { ClientStore } from '../../../src/clients/client-store.ts';
import { clientsIn } from '../../../src/storage/clients.ts';
import { consentsIn } from '../../../src/storage/consents.ts';
import type { Database } from '../../../src/storage/database.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, clientRecord, newGrant, openMigrated } from './records.ts';

onEachDatabase('clients in the database', (databases) => {
  let database: Database;
  let clients: ClientStore;

  beforeEach(async () => {
    database = await openMigrated(databases);
    clients = clientsIn(database);
  });

  afterEach(() => database.close());

  async function revision(): Promise<number> {
    const [row] = await database.rows<{ value: number }>("SELECT value FROM revisions WHERE name = 'clients'", []);
    return row?.value ?? 0;
  }

  it('are given back as they were stored', async () => {
    const record = clientRecord({
      secrets: [
        { digest: 'old', createdAt: 1, expiresAt: 2 },
        { digest: 'new', createdAt: 2, expiresAt: undefined },
      ],
    });
    expect(await clients.create(record)).to.equal(true);
    expect(await clients.find(record.id)).to.deep.equal(record);
    expect(await clients.find('nobody')).to.equal(undefined);
  });

  it('are not created over one another', async () => {
    const record = clientRecord();
    const outcomes = await Promise.all([record, { ...record, updatedAt: 999 }, record].map((each) => clients.create(each)));
    expect(outcomes.filter(Boolean)).to.have.length(1);
    expect(await revision()).to.equal(1);
  });

  it('are replaced only by whoever saw the present version', async () => {
    const record = clientRecord();
    await clients.create(record);
    const [one, other] = [
      { ...record, secrets: [], updatedAt: 200 },
      { ...record, updatedAt: 300 },
    ];
    expect(await Promise.all([clients.replace(one), clients.replace(other)])).to.deep.equal([true, false]);
    expect(await clients.find(record.id)).to.deep.equal({ ...one, version: 2 });
    expect(await clients.replace({ ...other, version: 2 })).to.equal(true);
    expect(await clients.replace(clientRecord())).to.equal(false);
  });

  it('keep the date of their creation', async () => {
    const record = clientRecord();
    await clients.create(record);
    await clients.replace({ ...record, createdAt: 999 });
    expect(await clients.find(record.id)).to.include({ createdAt: record.createdAt });
  });

  it('are deleted with their grants and consents', async () => {
    const { clientId, userId } = await clientAndUser(database);
    const grants = grantsIn(database);
    const grant = newGrant({ clientId, userId });
    await grants.create(grant);
    await consentsIn(database).remember(userId, clientId, ['read'], 1);
    expect(await clients.delete(clientId)).to.equal(true);
    expect(await clients.find(clientId)).to.equal(undefined);
    expect(await grants.find(grant.id)).to.equal(undefined);
    expect(await consentsIn(database).find(userId, clientId)).to.deep.equal([]);
    expect(await clients.delete(clientId)).to.equal(false);
  });

  it('move the revision with every change, and only then', async () => {
    const record = clientRecord();
    await clients.create(record);
    expect(await revision()).to.equal(1);
    await clients.replace(record);
    expect(await revision()).to.equal(2);
    await clients.replace(record);
    await clients.delete('nobody');
    expect(await revision()).to.equal(2);
    await clients.delete(record.id);
    expect(await revision()).to.equal(3);
  });

  it('are listed in order of id, page by page', async () => {
    for (const id of ['b', 'Ä', 'a', 'B', 'c']) {
      await clients.create(clientRecord({ id }));
    }
    const first = await clients.list({ limit: 3 });
    expect(first.map(({ id }) => id)).to.deep.equal(['B', 'a', 'b']);
    expect((await clients.list({ limit: 3, after: 'b' })).map(({ id }) => id)).to.deep.equal(['c', 'Ä']);
  });
});
