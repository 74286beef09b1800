import { once } from 'node:events';
import { ensureKeys } from '../../../src/keys/key-upkeep.ts';
import { ES256_ONLY, upkeepOf } from './key-directories.ts';

// A process of its own: says that it is ready, waits for a word, makes the keys of the directory it is given, and says which there are.
const [, , directory = ''] = process.argv;
process.stdout.write('ready\n');
await once(process.stdin, 'data');
const { signingKeys, secrets } = await ensureKeys(upkeepOf(directory, { ...ES256_ONLY, algorithms: ['ES256', 'RS256'] }));
process.stdout.write(`${[...signingKeys.map(({ kid }) => kid), ...secrets.map(({ id }) => id)].join(' ')}\n`);
