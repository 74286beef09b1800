import { expect } from 'chai';
import { grantsIn } from '../../../src/storage/grants.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { startNode } from './processes.ts';
import { clientAndUser, newGrant } from './records.ts';

onEachDatabase('grants on two nodes', (databases) => {
  it('are advanced by exactly one of all who try at the same moment', async function contest() {
    this.timeout(30_000);
    const location = await databases.create();
    const database = await openDatabase(location);
    await migrateUp(database);
    const grants = grantsIn(database);
    const parties = await clientAndUser(database);
    const made = Array.from({ length: 40 }, () => newGrant(parties));
    await Promise.all(made.map((grant) => grants.create(grant)));
    const ids = made.map(({ id }) => id);

    // Each has the grants in an order of its own, so that they meet in all ways.
    const orders = [ids, ids.toReversed()];
    const nodes = orders.map((order) => startNode('./advance-process.ts', location, parties.clientId, order.join(',')));
    try {
      for (const node of nodes) {
        expect(await node.line()).to.equal('ready');
      }
      for (const node of nodes) {
        node.go();
      }
      const wins = new Map(ids.map((id) => [id, 0]));
      for (const [index, node] of nodes.entries()) {
        const counts: number[] = JSON.parse(await node.line());
        for (const [place, id] of (orders[index] ?? []).entries()) {
          wins.set(id, (wins.get(id) ?? 0) + (counts[place] ?? 0));
        }
      }
      expect([...wins.values()]).to.deep.equal(ids.map(() => 1));
      expect((await grants.list({ clientId: parties.clientId }, { limit: 100 })).map(({ generation }) => generation)).to.deep.equal(
        ids.map(() => 1),
      );
    } finally {
      await Promise.all(nodes.map((node) => node.kill()));
      await database.close();
    }
  });
});
