import { expect } from 'chai';
import type { Consents } from '../../../src/interaction/consents.ts';
import { consentsIn } from '../../../src/storage/consents.ts';
import type { Database } from '../../../src/storage/database.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, openMigrated } from './records.ts';

onEachDatabase('consents in the database', (databases) => {
  let database: Database;
  let consents: Consents;

  before(async () => {
    database = await openMigrated(databases);
    consents = consentsIn(database);
  });

  after(() => database.close());

  it('add up, each scope value once', async () => {
    const { clientId, userId } = await clientAndUser(database);
    expect(await consents.find(userId, clientId)).to.deep.equal([]);
    await consents.remember(userId, clientId, ['read', 'openid'], 10);
    await consents.remember(userId, clientId, ['openid', 'write'], 20);
    await consents.remember(userId, clientId, [], 30);
    expect(await consents.find(userId, clientId)).to.have.members(['openid', 'read', 'write']);
  });

  it('survive two that are given at once', async () => {
    const { clientId, userId } = await clientAndUser(database);
    await Promise.all(['a', 'b', 'a'].map((value) => consents.remember(userId, clientId, [value, 'openid'], 10)));
    expect(await consents.find(userId, clientId)).to.have.members(['a', 'b', 'openid']);
  });

  it('are one user’s for one client', async () => {
    const [one, other] = [await clientAndUser(database), await clientAndUser(database)];
    await consents.remember(one.userId, one.clientId, ['read'], 10);
    expect(await consents.find(one.userId, other.clientId)).to.deep.equal([]);
    expect(await consents.find(other.userId, one.clientId)).to.deep.equal([]);
  });
});
