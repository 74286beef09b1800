import { expect } from 'chai';
import type { User } from '../../../src/accounts/user.ts';
import { newIdentifier } from '../../../src/core/identifiers.ts';
import { CLEANUP_PACE } from '../../../src/storage/cleanup-pace.ts';
import { clientsIn } from '../../../src/storage/clients.ts';
import type { Database } from '../../../src/storage/database.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { selfRegistrationsIn } from '../../../src/storage/self-registrations.ts';
import { unusedClientsOf } from '../../../src/storage/unused-clients.ts';
import { usersIn } from '../../../src/storage/users.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientRecord, newGrant, openMigrated, user } from './records.ts';

const DAY = 86_400;

async function clientsRevision(database: Database): Promise<number> {
  const [row] = await database.rows<{ readonly value: number }>("SELECT value FROM revisions WHERE name = 'clients'", []);
  return row?.value ?? 0;
}

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

onEachDatabase('clients that registered themselves and are not used', (databases) => {
  let database: Database;
  let owner: User;
  let cleanUp: (now: number) => Promise<number>;
  beforeEach(async () => {
    database = await openMigrated(databases);
    cleanUp = unusedClientsOf(database, CLEANUP_PACE);
    owner = user();
    await usersIn(database).create(owner, owner.id);
  });
  afterEach(() => database.close());

  async function selfRegistered(expiresUnusedAt: number): Promise<string> {
    const record = clientRecord({ registeredItself: { by: 'anonymous' } });
    const registration = { by: 'anonymous', allowance: undefined, softwareStatement: undefined } as const;
    await selfRegistrationsIn(database).create(record, registration, { tokenId: undefined, most: 10_000, expiresUnusedAt, now: 100 });
    return record.id;
  }

  const exists = async (id: string) => (await clientsIn(database).find(id)) !== undefined;

  async function grantOf(clientId: string): Promise<string> {
    const grant = newGrant({ clientId, userId: owner.id });
    await grantsIn(database).create(grant);
    return grant.id;
  }

  it('go when their time is over and not before, and those of the operator never', async () => {
    const operators = clientRecord();
    await clientsIn(database).create(operators);
    const [soon, later] = [await selfRegistered(1000), await selfRegistered(2000)];
    expect(await cleanUp(1000)).to.equal(0);
    expect(await cleanUp(1001)).to.equal(1);
    expect([await exists(soon), await exists(later), await exists(operators.id)]).to.deep.equal([false, true, true]);
  });

  it('stay when they were used meanwhile', async () => {
    const id = await selfRegistered(1000);
    await selfRegistrationsIn(database).keepUntil([id], 5000);
    expect(await cleanUp(5000)).to.equal(0);
    // Never earlier than was said before.
    await selfRegistrationsIn(database).keepUntil([id], 10);
    expect(await cleanUp(5000)).to.equal(0);
    expect(await cleanUp(5001)).to.equal(1);
  });

  it('stay while they have a grant, and are looked at again a day later', async () => {
    const id = await selfRegistered(1000);
    const grant = await grantOf(id);
    expect(await cleanUp(2000)).to.equal(0);
    await database.rows('DELETE FROM grants WHERE id = ?', [grant]);
    expect(await cleanUp(2000 + DAY)).to.equal(0);
    expect(await cleanUp(2001 + DAY)).to.equal(1);
  });

  it('are not kept from going by any number of others that have grants', async () => {
    const ids = [];
    for (let i = 0; i < 120; i++) {
      ids.push(await selfRegistered(100 + i));
      await grantOf(ids.at(-1) ?? '');
    }
    const unused = await selfRegistered(900);
    expect((await cleanUp(2000)) + (await cleanUp(2000))).to.equal(1);
    expect(await exists(unused)).to.equal(false);
    expect(await exists(ids[0] ?? '')).to.equal(true);
  });

  it('tell the other processes that they are gone', async () => {
    await selfRegistered(1000);
    const before = await clientsRevision(database);
    expect(await cleanUp(1000)).to.equal(0);
    expect(await clientsRevision(database)).to.equal(before);
    expect(await cleanUp(1001)).to.equal(1);
    expect(await clientsRevision(database)).to.equal(before + 1);
  });

  it('stay when a grant is being made at that moment', async function onPostgres() {
    if (databases.kind === 'sqlite') {
      // One writer at a time: there is no such moment.
      this.skip();
    }
    const [id, other] = [await selfRegistered(1000), await selfRegistered(100_000)];
    const sample = await grantOf(other);
    const seen = { isMade: false, isWaitedFor: false };
    const making = database.transaction(async (transaction) => {
      const row: unknown = await transaction('grants').where({ id: sample }).first();
      await transaction('grants').insert({ ...Object(row), id: newIdentifier(), client_id: id, status_entry: 1_000_000 });
      seen.isMade = true;
      while (!seen.isWaitedFor) {
        await nextTurn();
      }
    });
    while (!seen.isMade) {
      await nextTurn();
    }
    const cleaning = cleanUp(2000);
    const waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()";
    while ((await database.rows(waiting, [])).length === 0) {
      await nextTurn();
    }
    seen.isWaitedFor = true;
    await making;
    expect(await cleaning).to.equal(0);
    expect(await exists(id)).to.equal(true);
  });
});
