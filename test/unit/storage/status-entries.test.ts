import { expect } from 'chai';
import type { DatabaseLocation } from '../../../src/config/config.ts';
import { StorageUnavailable } from '../../../src/core/errors.ts';
import { LIST_ENTRIES, listOf } from '../../../src/status-lists/entries.ts';
import { clientsIn } from '../../../src/storage/clients.ts';
import type { Database } from '../../../src/storage/database.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { statusEntriesIn } from '../../../src/storage/status-entries.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { startNode } from './processes.ts';
import { clientAndUser, newGrant, rejection } from './records.ts';

onEachDatabase('entries of the status lists', (databases) => {
  let location: DatabaseLocation;
  let database: Database;
  let parties: { readonly clientId: string; readonly userId: string };

  beforeEach(async () => {
    location = await databases.create();
    database = await openDatabase(location);
    await migrateUp(database);
    parties = await clientAndUser(database);
  });

  afterEach(() => database.close());

  const setCounter = (name: 'grants' | 'clients', next: number) =>
    database.rows('UPDATE status_counters SET next = ? WHERE name = ?', [next, name]);

  it('are given to each grant as it is made, each another one', async () => {
    const grants = grantsIn(database);
    const made = Array.from({ length: 600 }, () => newGrant(parties));
    await Promise.all(made.map((grant) => grants.create(grant)));
    const entries = await Promise.all(made.map(async ({ id }) => (await grants.find(id))?.statusEntry));
    expect(new Set(entries).size).to.equal(600);
    expect(entries.every((entry) => entry !== undefined && listOf(entry) === 0)).to.equal(true);
  });

  it('cannot be two grants’, whoever tries: the database holds that', async () => {
    const grants = grantsIn(database, { next: () => 7 });
    await grants.create(newGrant(parties));
    const error = await rejection(grants.create(newGrant(parties)));
    expect(error.message).to.match(/unique/i);
  });

  it('of a block lie all in one list: a list that has no room for it is left as it is', async () => {
    const entries = statusEntriesIn(database);
    await setCounter('clients', LIST_ENTRIES - 10);
    const fits = await entries.reserve(parties.clientId, 10, 5000);
    expect(fits).to.deep.equal({ first: 2 * LIST_ENTRIES - 10, count: 10 });
    await setCounter('clients', LIST_ENTRIES - 10);
    const next = await entries.reserve(parties.clientId, 11, 5000);
    expect(next).to.deep.equal({ first: 3 * LIST_ENTRIES, count: 11 });
  });

  it('for grants and for tokens of clients are in lists of their own', async () => {
    const entries = statusEntriesIn(database);
    expect(listOf(await entries.next())).to.equal(0);
    expect(listOf((await entries.reserve(parties.clientId, 16, 5000)).first)).to.equal(1);
  });

  it('tell which lists are in use: of grants, of reservations that have not expired, and the newest ones', async () => {
    const grants = grantsIn(database);
    const entries = statusEntriesIn(database);
    expect(await entries.listsInUse(1000)).to.deep.equal([0, 1]);
    // Lists 0, 4 and 6 for grants, of which 2 and 4 have none; list 3 for tokens that have expired, 5 for some that live.
    for (const entry of [5, 4 * LIST_ENTRIES, 6 * LIST_ENTRIES + 3]) {
      await grantsIn(database, { next: () => entry }).create(newGrant(parties));
    }
    await setCounter('grants', 5 * LIST_ENTRIES);
    await setCounter('clients', LIST_ENTRIES);
    await entries.reserve(parties.clientId, 16, 900);
    await setCounter('clients', 2 * LIST_ENTRIES);
    await entries.reserve(parties.clientId, 16, 1100);
    await setCounter('clients', 4 * LIST_ENTRIES);
    expect(await entries.listsInUse(1000)).to.deep.equal([0, 4, 5, 6, 9, 10]);
    expect(await grants.list({}, { limit: 10 })).to.have.length(3);
  });

  it('that were spare are their client’s when that is written down, and revoked where it is gone by then', async () => {
    const entries = statusEntriesIn(database);
    const { first } = await entries.reserveSpare(16);
    const changes = async () =>
      (await database.rows<{ first: number }>('SELECT first FROM status_changes ORDER BY first', [])).map((change) => change.first);
    const expiresAt = Math.floor(Date.now() / 1000) + 900;
    const own = { entry: first, clientId: parties.clientId, expiresAt };
    await entries.assign([own, { entry: first + 1, clientId: 'gone', expiresAt }], 1000);
    await entries.assign([own], 1000);
    expect(await changes()).to.deep.equal([first + 1]);
    await clientsIn(database).delete(parties.clientId);
    expect(await changes()).to.deep.equal([first, first + 1]);
  });

  it('are not reserved for a client that is gone', async () => {
    await clientsIn(database).delete(parties.clientId);
    const error = await rejection(statusEntriesIn(database).reserve(parties.clientId, 16, 5000));
    expect(error).to.be.instanceOf(StorageUnavailable);
  });

  it('are given once by nodes that work at the same time and are killed (kill -9), again and again', async function killed() {
    this.timeout(60_000);
    const given: number[] = [];
    for (let round = 0; round < 3; round++) {
      const nodes = [0, 1].map(() => startNode('./entries-process.ts', location, parties.clientId, parties.userId));
      try {
        await Promise.all(nodes.map((node) => node.line()));
        for (const node of nodes) {
          node.go();
        }
        await Promise.all(
          nodes.map(async (node) => {
            for (let line = 0; line < 8; line++) {
              const said = JSON.parse(await node.line()) as { given: number[]; block: { first: number; count: number } };
              given.push(...said.given, ...Array.from({ length: said.block.count }, (_, at) => said.block.first + at));
            }
          }),
        );
      } finally {
        await Promise.all(nodes.map((node) => node.kill()));
      }
    }
    const ofGrants = await database.rows<{ entry: number }>('SELECT status_entry AS entry FROM grants', []);
    given.push(...ofGrants.map(({ entry }) => entry));
    expect(ofGrants.length).to.be.above(40);
    expect(given.length).to.be.above(5000);
    expect(new Set(given).size).to.equal(given.length);
  });
});
