import { expect } from 'chai';
import { migrations } from '../../../migrations/index.ts';
import type { DocumentClientRecord } from '../../../src/clients/document-client-store.ts';
import type { DatabaseLocation } from '../../../src/config/config.ts';
import { parametersOf } from '../../../src/core/parameters.ts';
import { cleanupOf } from '../../../src/storage/cleanup.ts';
import { CLEANUP_PACE } from '../../../src/storage/cleanup-pace.ts';
import { clientsIn } from '../../../src/storage/clients.ts';
import { consentsIn } from '../../../src/storage/consents.ts';
import type { Database } from '../../../src/storage/database.ts';
import { documentClientsIn } from '../../../src/storage/document-clients.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { migrateDown, migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { pushedRequestsIn } from '../../../src/storage/pushed-requests.ts';
import { changeWatcher } from '../../../src/storage/revisions.ts';
import { usersIn } from '../../../src/storage/users.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientRecord, newGrant, user } from './records.ts';

const ID = 'https://app.example/client.json';
const DAY = 86_400;

const nothing = () => undefined;

function described(fetchedAt: number, client_name = 'Harbor Notes'): DocumentClientRecord {
  const { metadata } = clientRecord();
  const document = { fetchedAt, freshUntil: fetchedAt + 300 };
  return { ...clientRecord({ id: ID, metadata: { ...metadata, client_name }, secrets: [] }), document };
}

onEachDatabase('clients that describe themselves, in the database', (databases) => {
  let location: DatabaseLocation;
  let database: Database;
  beforeEach(async () => {
    location = await databases.create();
    database = await openDatabase(location);
    await migrateUp(database);
  });
  afterEach(() => database.close());

  const stored = () => clientsIn(database).find(ID);

  it('are stored with the dates of their document, and told to other processes once', async () => {
    let told = 0;
    const watcher = changeWatcher(database, {
      clients: () => (told += 1),
      resources: nothing,
      detail_types: nothing,
      trusted_issuers: nothing,
    });
    await watcher.poll();
    told = 0;
    await documentClientsIn(database).keep(described(1000), 1010);
    await watcher.poll();
    expect(told).to.equal(1);
    expect(await stored()).to.deep.equal({ ...described(1000), createdAt: 1010, updatedAt: 1010 });
    await documentClientsIn(database).keep(described(2000, 'Renamed'), 5000);
    await documentClientsIn(database).renew(described(3000, 'Renamed again'));
    await watcher.poll();
    expect(told).to.equal(1);
  });

  it('take what a newer document says, count a version where it says something else, and never go back', async () => {
    const documents = documentClientsIn(database);
    await documents.keep(described(1000), 1000);
    await documents.renew(described(2000));
    expect(await stored()).to.deep.include({ version: 1, updatedAt: 1000, document: { fetchedAt: 2000, freshUntil: 2300 } });
    await documents.renew(described(3000, 'Renamed'));
    const renamed = await stored();
    expect(renamed).to.deep.include({ version: 2, updatedAt: 3000, document: { fetchedAt: 3000, freshUntil: 3300 } });
    expect(renamed?.metadata.client_name).to.equal('Renamed');
    await documents.renew(described(2500, 'Old'));
    await documents.keep(described(2500, 'Old'), 4000);
    expect(await stored()).to.deep.equal(renamed);
    await documents.keep(described(5000, 'New'), 5000);
    expect((await stored())?.metadata.client_name).to.equal('New');
  });

  it('are stored once by many nodes at the same moment', async () => {
    const documents = documentClientsIn(database);
    await Promise.all(Array.from({ length: 20 }, (_, at) => documents.keep(described(1000 + at), 2000)));
    expect(await stored()).to.deep.include({ document: { fetchedAt: 1019, freshUntil: 1319 } });
    expect(await clientsIn(database).list({ limit: 10 })).to.have.length(1);
  });

  it('change nothing of a client that an operator registered, and make none where none is', async () => {
    const documents = documentClientsIn(database);
    await documents.renew(described(1000));
    expect(await stored()).to.equal(undefined);
    const registered = clientRecord({ id: ID });
    await clientsIn(database).create(registered);
    await documents.keep(described(1000), 1000);
    await documents.renew(described(2000));
    expect(await stored()).to.deep.equal(registered);
  });

  it('go a day after they were last of use, if nothing refers to them any more; others stay', async () => {
    const documents = documentClientsIn(database);
    const registered = clientRecord();
    await clientsIn(database).create(registered);
    const person = user();
    await usersIn(database).create(person, 'ada');
    await documents.keep(described(1000), 1000);
    const parties = { clientId: ID, userId: person.id };
    await consentsIn(database).remember(person.id, ID, ['openid'], 1000);
    await grantsIn(database).create(newGrant({ ...parties, expiresAt: 3 * DAY }));
    const cleanup = cleanupOf(database, { ...CLEANUP_PACE, walkSeconds: 0 });
    const goneAt = async (now: number) => (await cleanup.run({ now, keepSeconds: 900, forgetAttemptsSeconds: 100 })).documentClients;

    expect(await goneAt(1000 + 2 * DAY)).to.equal(0);
    await documents.keep(described(1000), 3 * DAY);
    // Its last grant goes in this very run.
    expect(await goneAt(3 * DAY + 901)).to.equal(0);
    expect(await grantsIn(database).list({}, { limit: 1 })).to.deep.equal([]);
    expect(await goneAt(4 * DAY)).to.equal(0);
    expect(await goneAt(4 * DAY + 1)).to.equal(1);
    expect(await stored()).to.equal(undefined);
    expect(await consentsIn(database).find(person.id, ID)).to.deep.equal([]);
    expect(await clientsIn(database).find(registered.id)).to.deep.equal(registered);
  });

  it('lose no grant to a cleanup on another node that comes at the same moment', async function race() {
    this.timeout(30_000);
    const person = user();
    await usersIn(database).create(person, 'ada');
    const other = await openDatabase(location);
    try {
      const cleanup = cleanupOf(other, { ...CLEANUP_PACE, walkSeconds: 0 });
      const grants = grantsIn(database);
      for (let round = 1; round <= 40; round++) {
        const now = 10 * DAY * round;
        await documentClientsIn(database).keep(described(round), now - 5 * DAY);
        const grant = newGrant({ clientId: ID, userId: person.id, expiresAt: now + 600 });
        const make = async () => {
          await documentClientsIn(database).keep(described(round), now);
          return grants.create(grant);
        };
        const [isMade] = await Promise.all([make(), cleanup.run({ now, keepSeconds: 900, forgetAttemptsSeconds: 100 })]);
        expect(isMade).to.equal(true);
        expect(await grants.find(grant.id)).to.include({ clientId: ID });
      }
    } finally {
      await other.close();
    }
  });

  it('have no record when they push a request, and what was pushed goes with a client that is deleted', async () => {
    const requests = pushedRequestsIn(database);
    const request = { id: 'pushed', clientId: ID, parameters: parametersOf([]), isSigned: false, expiresAt: 2000 };
    expect(await requests.create(request, 10, 1000)).to.equal(true);
    expect(await stored()).to.equal(undefined);
    await documentClientsIn(database).keep(described(1000), 1000);
    expect(await requests.findUnused('pushed')).to.include({ clientId: ID });
    expect(await clientsIn(database).delete(ID)).to.equal(true);
    expect(await requests.findUnused('pushed')).to.equal(undefined);
  });

  it('come and go with the migration, which leaves pushed requests of registered clients alone', async () => {
    const requests = pushedRequestsIn(database);
    const registered = clientRecord();
    await clientsIn(database).create(registered);
    const request = { parameters: parametersOf([['scope', 'a']]), isSigned: true, expiresAt: 2000 };
    await requests.create({ ...request, id: 'theirs', clientId: registered.id }, 10, 1000);
    await requests.create({ ...request, id: 'own', clientId: ID }, 10, 1000);
    await documentClientsIn(database).keep(described(1000), 1000);
    const later = migrations.map(({ name }) => name).filter((name) => name >= '0015-document-clients');
    for (const name of later.toReversed()) {
      expect(await migrateDown(database)).to.equal(name);
    }
    await migrateUp(database);
    expect(await stored()).to.equal(undefined);
    expect(await clientsIn(database).find(registered.id)).to.deep.equal(registered);
    const theirs = await requests.findUnused('theirs');
    expect(theirs).to.include({ clientId: registered.id, isSigned: true, expiresAt: 2000 });
    expect(theirs?.parameters.entries).to.deep.equal(request.parameters.entries);
    expect(await database.rows('SELECT id FROM pushed_requests', [])).to.deep.equal([{ id: 'theirs' }]);
  });
});
