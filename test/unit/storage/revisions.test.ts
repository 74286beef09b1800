import { expect } from 'chai';
import { clientsIn } from '../../../src/storage/clients.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { changeWatcher } from '../../../src/storage/revisions.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientRecord } from './records.ts';

onEachDatabase('the watcher of changes', (databases) => {
  it('tells of a change that another node made, once', async () => {
    const location = await databases.create();
    const [here, elsewhere] = [await openDatabase(location), await openDatabase(location)];
    try {
      await migrateUp(here);
      let told = 0;
      const watcher = changeWatcher(here, {
        clients: () => void told++,
        resources: () => undefined,
        detail_types: () => undefined,
        trusted_issuers: () => undefined,
      });
      // What was cached before the first look may be old already.
      await watcher.poll();
      expect(told).to.equal(1);
      await watcher.poll();
      expect(told).to.equal(1);

      const record = clientRecord();
      await clientsIn(elsewhere).create(record);
      await clientsIn(elsewhere).replace(record);
      await watcher.poll();
      expect(told).to.equal(2);
      await watcher.poll();
      expect(told).to.equal(2);

      await here.rows('UPDATE revisions SET value = 1', []);
      await watcher.poll();
      expect(told, 'a database restored from a backup').to.equal(3);
    } finally {
      await here.close();
      await elsewhere.close();
    }
  });
});
