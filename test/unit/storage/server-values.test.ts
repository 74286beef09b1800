import { expect } from 'chai';
import type { DatabaseLocation } from '../../../src/config/config.ts';
import type { Database } from '../../../src/storage/database.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { serverValuesIn } from '../../../src/storage/server-values.ts';
import { onEachDatabase } from '../../support/databases.ts';

onEachDatabase('server values in the database', (databases) => {
  let location: DatabaseLocation;
  let nodes: readonly Database[];

  before(async () => {
    location = await databases.create();
    nodes = await Promise.all([openDatabase(location), openDatabase(location)]);
    await Promise.all(nodes.map((node) => migrateUp(node)));
  });

  after(() => Promise.all(nodes.map((node) => node.close())));

  it('are made once, by one of many first calls on two nodes, and are the same for all ever after', async () => {
    let made = 0;
    const calls = Array.from({ length: 20 }, (_, index) => {
      const node = nodes[index % nodes.length] ?? expect.fail();
      return serverValuesIn(node).findOrMake('pairwise_salt', () => `salt ${++made}`);
    });
    const [first = '', ...others] = await Promise.all(calls);
    expect(first).to.match(/^salt \d+$/);
    expect(new Set(others)).to.deep.equal(new Set([first]));
    for (const node of nodes) {
      expect(await serverValuesIn(node).findOrMake('pairwise_salt', () => 'another')).to.equal(first);
    }
  });
});
