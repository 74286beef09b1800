import { once } from 'node:events';
import { migrations } from '../../../migrations/index.ts';
import type { Migration } from '../../../migrations/migration.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';

// A node that migrates. With the word `stuck` it never gets out of its last migration.
const [, , location = '', stuck] = process.argv;

const endless: Migration = {
  name: '9999-endless',
  async up(transaction) {
    await transaction.schema.createTable('half_done', (table) => void table.integer('id'));
    process.stdout.write('inside\n');
    // Held open by standard input.
    await once(process.stdin, 'end');
  },
  down: async () => undefined,
};

const database = await openDatabase(JSON.parse(location));
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const applied = await migrateUp(database, stuck === 'stuck' ? [...migrations, endless] : migrations);
process.stdout.write(`${applied.length}\n`);
process.exit(0);
