import { expect } from 'chai';
import type { Database } from '../../../src/storage/database.ts';
import { detailTypesIn } from '../../../src/storage/detail-types.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { ACCOUNTS, PAYMENT, payment } from '../../support/detail-types.ts';
import { clientAndUser, newGrant, openMigrated } from './records.ts';

onEachDatabase('records of types of authorization details', (databases) => {
  let database: Database;
  before(async () => {
    database = await openMigrated(databases);
  });
  after(() => database.close());

  async function revision(): Promise<number | undefined> {
    const [row] = await database.rows<{ value: number }>('SELECT value FROM revisions WHERE name = ?', ['detail_types']);
    return row?.value;
  }

  it('are kept, listed in order, replaced and deleted, and each change is counted', async () => {
    const types = detailTypesIn(database);
    expect(await types.create({ definition: PAYMENT, createdAt: 5, updatedAt: 5 })).to.equal(true);
    expect(await types.create({ definition: { ...PAYMENT, schema: {} }, createdAt: 6, updatedAt: 6 })).to.equal(false);
    expect(await types.create({ definition: ACCOUNTS, createdAt: 7, updatedAt: 7 })).to.equal(true);
    expect(await types.find(PAYMENT.type)).to.deep.equal({ definition: PAYMENT, createdAt: 5, updatedAt: 5 });
    expect((await types.list()).map(({ definition }) => definition.type)).to.deep.equal([ACCOUNTS.type, PAYMENT.type]);

    const before = await revision();
    const changed = { ...PAYMENT, display_name: { en: 'Pay' } };
    expect(await types.replace(changed, 9)).to.equal(true);
    expect(await types.find(PAYMENT.type)).to.deep.equal({ definition: changed, createdAt: 5, updatedAt: 9 });
    expect(await types.replace({ ...PAYMENT, type: 'other' }, 9)).to.equal(false);
    expect(await types.delete(PAYMENT.type)).to.equal(true);
    expect(await types.delete(PAYMENT.type)).to.equal(false);
    expect(await types.find(PAYMENT.type)).to.equal(undefined);
    expect(await revision()).to.be.greaterThan((before ?? 0) + 1);
  });

  it('and the details of a grant come back as they were, also from the statement that rotates it', async () => {
    const grants = grantsIn(database);
    const parties = await clientAndUser(database);
    const details = [payment('1', { creditorName: '결제 "x" \\' }), { type: 'b', n: [1.5, null, true] }] as { type: string }[];
    const grant = newGrant({ ...parties, authorizationDetails: details });
    const plain = newGrant(parties);
    await Promise.all([grants.create(grant), grants.create(plain)]);
    expect((await grants.find(grant.id))?.authorizationDetails).to.deep.equal(details);
    expect((await grants.find(plain.id))?.authorizationDetails).to.deep.equal([]);
    const advance = { clientId: parties.clientId, from: 0, to: 1, now: 1010, lifetimeSeconds: 100 };
    expect((await grants.advance({ grantId: grant.id, ...advance }))?.authorizationDetails).to.deep.equal(details);
    expect((await grants.advance({ grantId: plain.id, ...advance }))?.authorizationDetails).to.deep.equal([]);
  });
});
