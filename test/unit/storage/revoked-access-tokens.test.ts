import { expect } from 'chai';
import type { Database } from '../../../src/storage/database.ts';
import { revokedAccessTokensIn } from '../../../src/storage/revoked-access-tokens.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { openMigrated } from './records.ts';

onEachDatabase('revoked access tokens in the database', (databases) => {
  let database: Database;

  before(async () => {
    database = await openMigrated(databases);
  });

  after(() => database.close());

  it('are remembered, also when they are revoked twice at once', async () => {
    const revoked = revokedAccessTokensIn(database);
    expect(await revoked.has('jti')).to.equal(false);
    await Promise.all([revoked.add('jti', 100), revoked.add('jti', 100), revoked.add('jti', 100)]);
    expect(await revoked.has('jti')).to.equal(true);
    expect(await revoked.has('JTI')).to.equal(false);
  });
});
