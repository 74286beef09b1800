import { expect } from 'chai';
import type { Knex } from 'knex';
import { migrations } from '../../../migrations/index.ts';
import { newIdentifier } from '../../../src/core/identifiers.ts';
import type { Grants } from '../../../src/grants/grants.ts';
import type { EntryBlock } from '../../../src/status-lists/entries.ts';
import { clientsIn } from '../../../src/storage/clients.ts';
import type { Database } from '../../../src/storage/database.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { migrateDown, migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { revokedAccessTokensIn } from '../../../src/storage/revoked-access-tokens.ts';
import { sessionsIn } from '../../../src/storage/sessions.ts';
import { statusChangesIn } from '../../../src/storage/status-changes.ts';
import { statusEntriesIn } from '../../../src/storage/status-entries.ts';
import { usersIn } from '../../../src/storage/users.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, newGrant, openMigrated, rejection } from './records.ts';

const DAY = 86_400;
const NOW = Math.floor(Date.now() / 1000);

onEachDatabase('changes of the status lists', (databases) => {
  let database: Database;
  let grants: Grants;
  let parties: { readonly clientId: string; readonly userId: string };

  beforeEach(async () => {
    database = await openMigrated(databases);
    grants = grantsIn(database);
    parties = await clientAndUser(database);
  });

  afterEach(() => database.close());

  async function grant(changes: Partial<Parameters<typeof newGrant>[0]> = {}): Promise<{ readonly id: string; readonly entry: number }> {
    const made = newGrant({ ...parties, createdAt: NOW, expiresAt: NOW + 60, ...changes });
    await grants.create(made);
    return { id: made.id, entry: (await grants.find(made.id))?.statusEntry ?? Number.NaN };
  }

  /** The entries that are noted, and no number twice unless it was noted twice. */
  async function noted(since = 0): Promise<readonly number[]> {
    const found: EntryBlock[] = [];
    await statusChangesIn(database).all(since, (page) => void found.push(...page));
    return found.flatMap(({ first, count }) => Array.from({ length: count }, (_, at) => first + at)).toSorted((one, other) => one - other);
  }

  const advance = (id: string, from: number) =>
    grants.advance({ grantId: id, clientId: parties.clientId, from, to: from + 1, now: NOW, lifetimeSeconds: DAY });

  it('are noted with the end of a client also for grants that expired days ago, whose tokens may live for weeks', async () => {
    const made = [await grant(), await grant({ expiresAt: NOW - 3 * DAY })].map(({ entry }) => entry);
    await clientsIn(database).delete(parties.clientId);
    expect(await noted()).to.deep.equal(made.toSorted((one, other) => one - other));
  });

  it('are noted with the end of a grant, once, at the time of the end', async () => {
    const [ended, other] = [await grant(), await grant()];
    await grants.revoke(ended.id, 'client_request', NOW + 5);
    await grants.revoke(ended.id, 'operator', NOW + 6);
    expect(await noted()).to.deep.equal([ended.entry]);
    expect(await noted(NOW + 5)).to.deep.equal([ended.entry]);
    expect(await noted(NOW + 6)).to.deep.equal([]);
    expect(ended.entry).not.to.equal(other.entry);
  });

  it('are not noted by codes that are spent and tokens that rotate, nor by a batch with both', async () => {
    const [rotated, ended] = [await grant(), await grant()];
    expect(await advance(rotated.id, 0)).to.include({ generation: 1, statusEntry: rotated.entry });
    await Promise.all([advance(rotated.id, 1), grants.revoke(ended.id, 'logout', NOW)]);
    expect(await noted()).to.deep.equal([ended.entry]);
  });

  it('are noted for each grant that ends with others: of a client, a user, a session', async () => {
    const mine = await Promise.all(Array.from({ length: 5 }, () => grant()));
    const stranger = await clientAndUser(database);
    const others = await grant(stranger);
    await grants.revokeAll({ clientId: parties.clientId }, 'operator', NOW);
    expect(await noted()).to.deep.equal(mine.map(({ entry }) => entry).toSorted((one, other) => one - other));
    await usersIn(database).disable(stranger.userId, NOW);
    expect(await noted()).to.include(others.entry);
  });

  it('are noted when a session ends whose clients want their grants to end', async () => {
    const client = newIdentifier();
    const session = newIdentifier();
    const found = await clientsIn(database).find(parties.clientId);
    if (found === undefined) {
      throw new Error('no client');
    }
    await clientsIn(database).create({ ...found, id: client, metadata: { ...found.metadata, revoke_grants_on_logout: true } });
    await sessionsIn(database).create({
      id: session,
      userId: parties.userId,
      authTime: NOW,
      methods: ['pwd'],
      createdAt: NOW,
      idleExpiresAt: NOW + DAY,
      expiresAt: NOW + DAY,
    });
    const ended = await grant({ clientId: client, authentication: { authTime: NOW, methods: ['pwd'], sessionId: session } });
    await sessionsIn(database).end(session, NOW);
    expect((await grants.find(ended.id))?.revocationReason).to.equal('logout');
    expect(await noted()).to.deep.equal([ended.entry]);
  });

  it('are noted when a client is deleted: its living grants, and what was reserved for its tokens', async () => {
    const [living, revoked] = [await grant(), await grant()];
    await grants.revoke(revoked.id, 'operator', NOW - DAY * 3);
    const block = await statusEntriesIn(database).reserve(parties.clientId, 16, NOW + DAY);
    await statusEntriesIn(database).reserve(parties.clientId, 16, NOW - 1);
    await clientsIn(database).delete(parties.clientId);
    const ofBlock = Array.from({ length: 16 }, (_, at) => block.first + at);
    expect(await noted(NOW - DAY)).to.deep.equal([living.entry, ...ofBlock]);
  });

  it('are noted when the tokens of a grant end and it goes on: it has another entry then', async () => {
    const made = await grant();
    await grants.renewStatusEntry(made.id, made.entry);
    const renewed = (await grants.find(made.id))?.statusEntry;
    expect(renewed).not.to.equal(made.entry);
    expect(await noted()).to.deep.equal([made.entry]);
    // Again, for the same token: nothing is left to do.
    await grants.renewStatusEntry(made.id, made.entry);
    expect((await grants.find(made.id))?.statusEntry).to.equal(renewed);
    expect(await noted()).to.deep.equal([made.entry]);
  });

  it('are noted with a token that is revoked by itself, once', async () => {
    const tokens = revokedAccessTokensIn(database);
    await tokens.add('jti', NOW + 900, { entry: 1_048_580, now: NOW });
    await tokens.add('jti', NOW + 900, { entry: 1_048_580, now: NOW });
    await tokens.add('other', NOW + 900);
    expect(await noted()).to.deep.equal([1_048_580]);
  });

  it('are undone with what noted them: a transaction that fails revokes nothing, and says nothing', async () => {
    const made = await grant();
    const failure = database.transaction(async (transaction) => {
      await transaction('grants').where({ id: made.id }).update({ revoked_at: NOW, revocation_reason: 'operator' });
      throw new Error('no');
    });
    expect((await rejection(failure)).message).to.equal('no');
    expect(await noted()).to.deep.equal([]);
    expect((await grants.find(made.id))?.revokedAt).to.equal(undefined);
  });

  it('are told after a position: each once, and none from before', async () => {
    const changes = statusChangesIn(database);
    const made = await Promise.all(Array.from({ length: 3 }, () => grant()));
    await grants.revoke(made[0]?.id ?? '', 'operator', NOW);
    const start = await changes.position();
    await grants.revoke(made[1]?.id ?? '', 'operator', NOW);
    const first = await changes.after(start);
    expect(first?.changes.map((change) => change.first)).to.deep.equal([made[1]?.entry]);
    expect((await changes.after(first?.position ?? ''))?.changes).to.deep.equal([]);
    await grants.revoke(made[2]?.id ?? '', 'operator', NOW);
    expect((await changes.after(first?.position ?? ''))?.changes.map((change) => change.first)).to.deep.equal([made[2]?.entry]);
  });

  it('are told page by page', async () => {
    await database.run((knex) =>
      knex.batchInsert(
        'status_changes',
        Array.from({ length: 12_001 }, (_, first) => ({ first, count: 1, changed_at: NOW })),
        200,
      ),
    );
    const pages: number[] = [];
    await statusChangesIn(database).all(0, (page) => void pages.push(page.length));
    expect(pages).to.deep.equal([5000, 5000, 2001]);
  }).timeout(20_000);
});

onEachDatabase('changes of the status lists, for grants of an older version', (databases) => {
  it('are noted too: the migration gives every living grant an entry', async () => {
    const database = await openDatabase(await databases.create());
    await migrateUp(database);
    const parties = await clientAndUser(database);
    const made = Array.from({ length: 7 }, () => newGrant({ ...parties, createdAt: NOW, expiresAt: NOW + 60 }));
    const before = grantsIn(database);
    await Promise.all(made.map((grant) => before.create(grant)));
    await before.revoke(made[0]?.id ?? '', 'operator', NOW);
    // The versions before it did not have the column, and newer migrations do not matter here.
    const upToLists = migrations.slice(0, 1 + migrations.findIndex(({ name }) => name === '0008-status-lists'));
    while ((await migrateDown(database)) !== '0008-status-lists') {
      // Newer ones first.
    }
    await migrateUp(database, upToLists);
    await migrateUp(database);
    const grants = grantsIn(database);
    const after = await Promise.all(made.map(({ id }) => grants.find(id)));
    expect(after.map((grant) => grant?.statusEntry !== undefined)).to.deep.equal([false, true, true, true, true, true, true]);
    expect(new Set(after.slice(1).map((grant) => grant?.statusEntry))).to.deep.equal(new Set([0, 1, 2, 3, 4, 5]));
    expect(await statusEntriesIn(database).next()).to.equal(6);
    const start = await statusChangesIn(database).position();
    await grants.revoke(made[3]?.id ?? '', 'operator', NOW);
    const changes = await statusChangesIn(database).after(start);
    expect(changes?.changes).to.have.length(1);
    expect(changes?.changes[0]).to.include({ first: after[3]?.statusEntry, count: 1 });
    await database.close();
  });
});

onEachDatabase('changes of the status lists, where transactions end in another order than they begin', (databases) => {
  if (databases.kind !== 'postgres') {
    return;
  }
  it('misses none, though one that began first ends last', async () => {
    const database = await openMigrated(databases);
    const parties = await clientAndUser(database);
    const grants = grantsIn(database);
    const [slow, quick] = [newGrant(parties), newGrant(parties)];
    await Promise.all([grants.create(slow), grants.create(quick)]);
    const entries = new Map(await Promise.all([slow, quick].map(async ({ id }) => [id, (await grants.find(id))?.statusEntry] as const)));
    const changes = statusChangesIn(database);
    let position = await changes.position();
    const seen: number[] = [];
    async function look(): Promise<void> {
      const found = await changes.after(position);
      position = found?.position ?? position;
      seen.push(...(found?.changes ?? []).map(({ first }) => first));
    }

    await database.transaction(async (transaction: Knex.Transaction) => {
      // Its change has the lower number, and is not visible yet.
      await transaction('grants').where({ id: slow.id }).update({ revoked_at: 2000, revocation_reason: 'operator' });
      await grants.revoke(quick.id, 'operator', 2000);
      await look();
      expect(seen).to.deep.equal([entries.get(quick.id)]);
      await look();
    });
    await look();
    await look();
    expect(seen).to.deep.equal([entries.get(quick.id), entries.get(slow.id)]);
    const numbers = await database.rows<{ first: number }>('SELECT first FROM status_changes ORDER BY id', []);
    expect(numbers.map(({ first }) => first)).to.deep.equal([entries.get(slow.id), entries.get(quick.id)]);
    await database.close();
  });

  it('says so when the record went back behind the position, as after a restore', async () => {
    const database = await openMigrated(databases);
    expect(await statusChangesIn(database).after('99999999:99999999:')).to.equal(undefined);
    await database.close();
  });
});
