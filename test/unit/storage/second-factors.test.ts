import { expect } from 'chai';
import type { SecondFactors, TotpFactor } from '../../../src/accounts/second-factor.ts';
import type { DatabaseLocation } from '../../../src/config/config.ts';
import type { Database } from '../../../src/storage/database.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { secondFactorsIn } from '../../../src/storage/second-factors.ts';
import { sessionsIn } from '../../../src/storage/sessions.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser } from './records.ts';

onEachDatabase('second factors in the database', (databases) => {
  let location: DatabaseLocation;
  let nodes: readonly [Database, Database];
  let secondFactors: SecondFactors;
  let elsewhere: SecondFactors;
  let factor: TotpFactor;

  beforeEach(async () => {
    location = await databases.create();
    const first = await openDatabase(location);
    await migrateUp(first);
    nodes = [first, await openDatabase(location)];
    secondFactors = secondFactorsIn(nodes[0]);
    elsewhere = secondFactorsIn(nodes[1]);
    const { userId } = await clientAndUser(nodes[0]);
    factor = { userId, sealedSecret: 'sealed', lastStep: 10, createdAt: 100 };
  });

  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.close()));
  });

  const both = <T>(work: (node: SecondFactors) => Promise<T>): Promise<readonly T[]> =>
    Promise.all([secondFactors, elsewhere, secondFactors, elsewhere, secondFactors, elsewhere].map(work));

  it('are given back as they were made', async () => {
    expect(await secondFactors.find(factor.userId)).to.equal(undefined);
    expect(await secondFactors.enrol(factor, ['a', 'b'])).to.equal(true);
    expect(await elsewhere.find(factor.userId)).to.deep.equal(factor);
    expect(await elsewhere.countRecoveryCodes(factor.userId)).to.equal(2);
  });

  it('are enrolled once of many at once, on two nodes; nothing is left of the others', async () => {
    let made = 0;
    const outcomes = await both((node) => {
      made += 1;
      return node.enrol({ ...factor, sealedSecret: `sealed ${made}` }, [`a${made}`, `b${made}`]);
    });
    expect(outcomes.filter(Boolean)).to.have.length(1);
    expect(await secondFactors.countRecoveryCodes(factor.userId)).to.equal(2);
  });

  it('use up a time step once of many at once, on two nodes, and with it all before', async () => {
    await secondFactors.enrol(factor, ['a']);
    expect((await both((node) => node.useStep(factor, 12))).filter(Boolean)).to.have.length(1);
    expect(await elsewhere.useStep(factor, 11)).to.equal(false);
    expect(await elsewhere.useStep(factor, 12)).to.equal(false);
    expect(await elsewhere.useStep(factor, 13)).to.equal(true);
  });

  it('use up nothing for a factor that was replaced', async () => {
    await secondFactors.enrol(factor, ['a']);
    expect(await secondFactors.useStep({ ...factor, sealedSecret: 'another' }, 12)).to.equal(false);
    expect((await secondFactors.find(factor.userId))?.lastStep).to.equal(10);
  });

  it('use up a recovery code once of many at once, on two nodes, and only for its user', async () => {
    await secondFactors.enrol(factor, ['a', 'b']);
    const other = await clientAndUser(nodes[0]);
    expect(await secondFactors.useRecoveryCode(other.userId, 'a')).to.equal(false);
    expect((await both((node) => node.useRecoveryCode(factor.userId, 'a'))).filter(Boolean)).to.have.length(1);
    expect(await secondFactors.countRecoveryCodes(factor.userId)).to.equal(1);
  });

  it('are removed with their recovery codes and the sessions of the user, or nothing changes', async () => {
    const sessions = sessionsIn(nodes[0]);
    const { userId } = factor;
    const session = { id: 's', userId, authTime: 100, methods: ['pwd'], createdAt: 100, idleExpiresAt: 900, expiresAt: 900 };
    await sessions.create(session);
    expect(await secondFactors.remove(userId, 200)).to.equal(false);
    expect(await sessions.findLive('s', 200)).not.to.equal(undefined);
    await secondFactors.enrol(factor, ['a', 'b']);
    expect(await secondFactors.remove(userId, 200)).to.equal(true);
    expect(await secondFactors.find(userId)).to.equal(undefined);
    expect(await secondFactors.countRecoveryCodes(userId)).to.equal(0);
    expect(await sessions.findLive('s', 200)).to.equal(undefined);
  });
});
