import { once } from 'node:events';
import { grantsIn } from '../../../src/storage/grants.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';

// A node that tries to advance each of the grants from 0 to 1, ten times at once, and says how often it won, in a list in their order.
const [, , location = '', clientId = '', ids = ''] = process.argv;

const grants = grantsIn(await openDatabase(JSON.parse(location)));
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const wins = await Promise.all(
  ids.split(',').map(async (grantId) => {
    const attempts = Array.from({ length: 10 }, () =>
      grants.advance({ grantId, clientId, from: 0, to: 1, now: 1010, lifetimeSeconds: 60 }),
    );
    return (await Promise.all(attempts)).filter((grant) => grant !== undefined).length;
  }),
);
process.stdout.write(`${JSON.stringify(wins)}\n`);
process.exit(0);
