import { expect } from 'chai';
import type { Database } from '../../../src/storage/database.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { sharedRatesIn } from '../../../src/storage/rate-limits.ts';
import { onEachDatabase } from '../../support/databases.ts';

onEachDatabase('what processes took of their limits', (databases) => {
  let database: Database;
  let other: Database;
  before(async () => {
    const location = await databases.create();
    database = await openDatabase(location);
    await migrateUp(database);
    other = await openDatabase(location);
  });
  after(() => Promise.all([database.close(), other.close()]));

  it('adds up, from now or from where the key is spent until', async () => {
    const [here, there] = [sharedRatesIn(database), sharedRatesIn(other)];
    expect(await here.add([{ key: 'a', seconds: 1.5 }], 1000)).to.deep.equal([{ key: 'a', until: 1001.5 }]);
    expect(await there.add([{ key: 'a', seconds: 0.25 }], 1001)).to.deep.equal([{ key: 'a', until: 1001.75 }]);
    expect(await here.add([{ key: 'a', seconds: 2 }], 5000)).to.deep.equal([{ key: 'a', until: 5002 }]);
  });

  it('loses none of what several processes add at once, in whatever order they name the keys', async () => {
    const keys = Array.from({ length: 40 }, (_, index) => `key${index}`);
    const [here, there] = [sharedRatesIn(database), sharedRatesIn(other)];
    await Promise.all(
      Array.from({ length: 20 }, (_, round) =>
        (round % 2 === 0 ? here : there).add(
          (round % 3 === 0 ? keys : keys.toReversed()).map((key) => ({ key, seconds: 1 })),
          9000,
        ),
      ),
    );
    const spent = await here.add(
      keys.map((key) => ({ key, seconds: 0 })),
      9000,
    );
    expect(new Set(spent.map(({ until }) => until))).to.deep.equal(new Set([9020]));
  });
});
