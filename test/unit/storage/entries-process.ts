import { newIdentifier } from '../../../src/core/identifiers.ts';
import { grantsIn } from '../../../src/storage/grants.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { statusEntriesIn } from '../../../src/storage/status-entries.ts';
import { newGrant } from './records.ts';

// A node that makes grants and reserves blocks for tokens until it is killed, and writes down each entry that it gave out.
const [location = '', clientId = '', userId = ''] = process.argv.slice(2);
const database = await openDatabase(JSON.parse(location));
const entries = statusEntriesIn(database);
const grants = grantsIn(database, entries);
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
for (;;) {
  const given = await Promise.all(Array.from({ length: 100 }, async () => entries.next()));
  const block = await entries.reserve(clientId, 16, 5000);
  await grants.create(newGrant({ clientId, userId, id: newIdentifier() }));
  process.stdout.write(`${JSON.stringify({ given, block })}\n`);
}
