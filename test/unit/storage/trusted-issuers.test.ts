import { expect } from 'chai';
import { newIdentifier } from '../../../src/core/identifiers.ts';
import type { Database } from '../../../src/storage/database.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { type Repositories, repositoriesIn } from '../../../src/storage/repositories.ts';
import { changeWatcher } from '../../../src/storage/revisions.ts';
import type { TrustedIssuerRecord } from '../../../src/trusted-issuers/trusted-issuer.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientRecord, newGrant, user } from './records.ts';

const IDP = 'https://idp.example';
const NOW = 1_800_000_000;

function issuer(identifier = IDP): TrustedIssuerRecord {
  return {
    identifier,
    metadata: {
      purposes: ['jwt-bearer'],
      signing_algs: ['ES256'],
      private_addresses: false,
      assertion_max_lifetime: 300,
      workload_max_lifetime: 3600,
      workload_single_use: false,
      subject_mapping: 'links',
      allowed_clients: [],
      scope: '',
    },
    createdAt: NOW,
    updatedAt: NOW,
    version: 1,
  };
}

onEachDatabase('the records of trusted issuers', (databases) => {
  let database: Database;
  let repositories: Repositories;
  before(async () => {
    database = await openDatabase(await databases.create());
    await migrateUp(database);
    repositories = repositoriesIn(database);
  });
  after(() => database.close());

  it('are made once, changed from the version that was read, deleted, and each of that moves the revision', async () => {
    const { trustedIssuerStore: store } = repositories;
    let told = 0;
    const watcher = changeWatcher(database, {
      clients: nothing,
      resources: nothing,
      detail_types: nothing,
      trusted_issuers: () => void told++,
    });
    await watcher.poll();
    const record = issuer('https://one.example');
    for (const [change, expected] of [
      [() => store.create(record), true],
      [() => store.create(record), false],
      [() => store.replace({ ...record, updatedAt: NOW + 1 }), true],
      [() => store.replace({ ...record, updatedAt: NOW + 2 }), false],
    ] as const) {
      expect(await change()).to.equal(expected);
    }
    await watcher.poll();
    expect(told).to.equal(2);
    expect(await store.find(record.identifier)).to.deep.equal({ ...record, updatedAt: NOW + 1, version: 2 });
    expect((await store.list()).map(({ identifier }) => identifier)).to.deep.equal([record.identifier]);
    expect([await store.delete(record.identifier), await store.delete(record.identifier)]).to.deep.equal([true, false]);
    await watcher.poll();
    expect(told).to.equal(3);
  });

  it('link subjects to users: one user a subject, gone with issuer or user, and none to what is not there', async () => {
    const { trustedIssuerStore: store, users } = repositories;
    const [ada, bob] = [user(), user()];
    await users.create(ada, ada.username);
    await users.create(bob, bob.username);
    await store.create(issuer());
    const link = (subject: string, userId: string, of = IDP) => store.link({ issuer: of, subject, userId }, NOW);
    expect(await link('a', ada.id)).to.equal(true);
    expect(await link('a', bob.id)).to.equal(true);
    expect(await link('b', ada.id)).to.equal(true);
    expect(await store.linkedUser(IDP, 'a')).to.equal(bob.id);
    expect(await link('a', newIdentifier())).to.equal(false);
    expect(await link('a', ada.id, 'https://other.example')).to.equal(false);
    expect(await store.linkedUser(IDP, 'a')).to.equal(bob.id);
    expect(await store.linkedUser('https://other.example', 'a')).to.equal(undefined);
    expect(await store.links(IDP, { limit: 1 })).to.deep.equal([{ issuer: IDP, subject: 'a', userId: bob.id }]);
    expect(await store.links(IDP, { after: 'a', limit: 9 })).to.deep.equal([{ issuer: IDP, subject: 'b', userId: ada.id }]);
    expect([await store.unlink(IDP, 'b'), await store.unlink(IDP, 'b')]).to.deep.equal([true, false]);
    await store.delete(IDP);
    await store.create(issuer());
    expect(await store.linkedUser(IDP, 'a')).to.equal(undefined);
  });
});

onEachDatabase('a grant that is made for an enabled user only', (databases) => {
  let database: Database;
  let repositories: Repositories;
  before(async () => {
    database = await openDatabase(await databases.create());
    await migrateUp(database);
    repositories = repositoriesIn(database);
  });
  after(() => database.close());

  it('is not made once the user is disabled; made at the same moment, it is revoked', async () => {
    const { users, grants, clientStore } = repositories;
    const client = clientRecord();
    await clientStore.create(client);
    for (let round = 0; round < 20; round++) {
      const ada = user();
      await users.create(ada, ada.username);
      const made = { ...newGrant({ clientId: client.id, userId: ada.id }), onlyForEnabledUser: true, withoutCode: true };
      const [isMade] = await Promise.all([grants.create(made), users.disable(ada.id, made.createdAt)]);
      const grant = await grants.find(made.id);
      expect(grant?.revocationReason).to.equal(isMade ? 'user_disabled' : undefined);
      const later = { ...newGrant({ clientId: client.id, userId: ada.id }), onlyForEnabledUser: true };
      expect(await grants.create(later)).to.equal(false);
      expect(await grants.find(later.id)).to.equal(undefined);
    }
  });
});

function nothing(): void {
  // Of other records.
}
