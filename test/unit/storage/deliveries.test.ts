import { expect } from 'chai';
import type { DatabaseLocation } from '../../../src/config/config.ts';
import type { Deliveries } from '../../../src/deliveries/delivery.ts';
import { clientsIn } from '../../../src/storage/clients.ts';
import type { Database } from '../../../src/storage/database.ts';
import { deliveriesIn } from '../../../src/storage/deliveries.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, putDeliveries } from './records.ts';

onEachDatabase('the outbox in the database', (databases) => {
  let location: DatabaseLocation;
  let database: Database;
  let deliveries: Deliveries;
  let clientId: string;

  beforeEach(async () => {
    location = await databases.create();
    database = await openDatabase(location);
    await migrateUp(database);
    deliveries = deliveriesIn(database);
    clientId = (await clientAndUser(database)).clientId;
  });
  afterEach(() => database.close());

  it('gives out what is due, those that wait longest first, and counts the attempts', async () => {
    const payload = { user_id: 'ü', session_id: 's' };
    await putDeliveries(database, [
      { id: 'later', clientId, createdAt: 2001 },
      { id: 'second', clientId, createdAt: 1001 },
      { id: 'first', clientId, createdAt: 1000, payload },
    ]);
    expect(await deliveries.nextDueAt()).to.equal(1000);
    const [first] = await deliveries.claim(1, 2000, 30);
    expect(first).to.deep.equal({ id: 'first', clientId, kind: 'test', payload, attempts: 1, createdAt: 1000, expiresAt: 87_400 });
    expect((await deliveries.claim(9, 2000, 30)).map(({ id }) => id)).to.deep.equal(['second']);
    expect(await deliveries.nextDueAt()).to.equal(2001);
  });

  it('passes over those for clients that are named', async () => {
    const { clientId: other } = await clientAndUser(database);
    await putDeliveries(database, [
      { id: 'first', clientId },
      { id: 'second', clientId: other, createdAt: 1001 },
    ]);
    expect(await deliveries.claim(9, 2000, 30, [clientId, other])).to.deep.equal([]);
    expect((await deliveries.claim(9, 2000, 30, [clientId])).map(({ id }) => id)).to.deep.equal(['second']);
    expect((await deliveries.claim(9, 2000, 30)).map(({ id }) => id)).to.deep.equal(['first']);
  });

  it('gives one out again only when its lease is over, or when it was postponed', async () => {
    await putDeliveries(database, [{ id: 'one', clientId }]);
    const [first] = await deliveries.claim(1, 1000, 30);
    expect(await deliveries.claim(1, 1029, 30)).to.deep.equal([]);
    const [second] = await deliveries.claim(1, 1030, 30);
    expect(second?.attempts).to.equal(2);
    // Whoever had it first is late: it is in other hands.
    await deliveries.postpone(first ?? fail(), 1031);
    expect(await deliveries.nextDueAt()).to.equal(1060);
    await deliveries.postpone(second ?? fail(), 1034);
    expect(await deliveries.nextDueAt()).to.equal(1034);
    await deliveries.remove('one');
    await deliveries.remove('one');
    expect(await deliveries.nextDueAt()).to.equal(undefined);
  });

  it('gives each to one of several nodes that ask at once', async () => {
    const nodes = await Promise.all(Array.from({ length: 4 }, () => openDatabase(location)));
    await putDeliveries(
      database,
      Array.from({ length: 200 }, () => ({ clientId })),
    );
    const claimed: string[] = [];
    await Promise.all(
      nodes.map(async (node) => {
        for (
          let batch = await deliveriesIn(node).claim(7, 1000, 30);
          batch.length > 0;
          batch = await deliveriesIn(node).claim(7, 1000, 30)
        ) {
          claimed.push(...batch.map(({ id }) => id));
        }
      }),
    );
    expect(claimed).to.have.length(200);
    expect(new Set(claimed).size).to.equal(200);
    await Promise.all(nodes.map((node) => node.close()));
  });

  it('forgets what was for a client that is deleted', async () => {
    await putDeliveries(database, [{ clientId }]);
    await clientsIn(database).delete(clientId);
    expect(await deliveries.nextDueAt()).to.equal(undefined);
  });
});

function fail(): never {
  throw new Error('nothing was claimed');
}
