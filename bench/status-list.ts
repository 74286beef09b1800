import { generateKeyPairSync } from 'node:crypto';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { systemClock } from '../src/core/clock.ts';
import { localSigningKey } from '../src/keys/signing-key.ts';
import { entryAt, LIST_ENTRIES } from '../src/status-lists/entries.ts';
import { statusLists } from '../src/status-lists/status-lists.ts';
import { keyName, statusReferences } from '../src/status-lists/status-references.ts';
import { grantsIn } from '../src/storage/grants.ts';
import { migrateUp } from '../src/storage/migrate.ts';
import { openDatabase } from '../src/storage/open-database.ts';
import { repositoriesIn } from '../src/storage/repositories.ts';
import { temporaryFolder } from '../test/support/temporary-folder.ts';
import { clientAndUser, newGrant } from '../test/unit/storage/records.ts';

/**
 * `npm run -s bench:status-list`: the status lists of ten million living grants, of which some were revoked within the
 * longest life of an access token, on SQLite. The rows of the grants themselves are left out but for one a list: to make a list none is read.
 */

const GRANTS = 10_000_000;
const LISTS = Math.ceil(GRANTS / LIST_ENTRIES);
const ISSUER = 'https://login.example.com';

const lines: string[] = [];
for (const share of [0, 0.0001, 0.001, 0.01, 0.1]) {
  lines.push(await measure(share));
}
process.stdout.write(
  `${LISTS} lists of ${LIST_ENTRIES} entries, ES256; Node ${process.version}\n\n` +
    '| revoked lately | a list, bytes | and gzipped | read all at the start, ms | one change to a new signed list, ms (median, worst of 50) | CPU ms, with making and revoking the grant | memory of all, MiB |\n' +
    `|--:|--:|--:|--:|--:|--:|--:|\n${lines.join('\n')}\n`,
);

async function measure(share: number): Promise<string> {
  const database = await openDatabase({ kind: 'sqlite', path: join(await temporaryFolder(), 'bench.sqlite') });
  await migrateUp(database);
  const repositories = repositoriesIn(database);
  const parties = await clientAndUser(database);
  const now = systemClock.now();
  await fill(share, now);

  globalThis.gc?.();
  const memoryBefore = memory();
  const key = localSigningKey({ kid: 'k'.repeat(43), alg: 'ES256', ...generateKeyPairSync('ec', { namedCurve: 'P-256' }) });
  const published = { keys: [{ kty: 'EC', kid: key.kid, use: 'sig', alg: 'ES256' }] } as const;
  const lists = statusLists({
    issuer: ISSUER,
    references: statusReferences({ issuer: ISSUER, secret: 'bench' }),
    keys: { current: () => key, published: () => published, revoked: () => [], isNext: () => false, onChange: () => () => undefined },
    algorithms: ['ES256'],
    entries: repositories.statusEntries,
    changes: repositories.statusChanges,
    ttlSeconds: 10,
    longestTokenSeconds: 86_400,
    clock: systemClock,
  });
  const startedAt = performance.now();
  await lists.start();
  const startMilliseconds = performance.now() - startedAt;
  const inUse = await lists.aggregation();
  if (inUse.length < LISTS) {
    throw new Error(`${inUse.length} lists are in use`);
  }
  let bytes = 0;
  let gzipped = 0;
  for (let list = 0; list < LISTS; list++) {
    const found = await lists.find(keyName(key.kid), String(2 * list));
    bytes = Math.max(bytes, found?.token.length ?? 0);
    gzipped = Math.max(gzipped, gzipSync(found?.token ?? '').length);
  }
  globalThis.gc?.();
  const memoryAfter = memory();

  const times: number[] = [];
  const cpuBefore = process.cpuUsage();
  for (let change = 0; change < 50; change++) {
    const list = change % LISTS;
    const grant = newGrant(parties);
    const entry = entryAt('grants', (list + 1) * LIST_ENTRIES - 2 - change);
    const grants = grantsIn(database, { next: () => entry });
    await grants.create(grant);
    await grants.revoke(grant.id, 'operator', now);
    const before = await lists.find(keyName(key.kid), String(2 * list));
    const revokedAt = performance.now();
    await lists.changed();
    const after = await lists.find(keyName(key.kid), String(2 * list));
    times.push(performance.now() - revokedAt);
    if (before?.entityTag === after?.entityTag) {
      throw new Error('the list did not change');
    }
  }
  const cpu = process.cpuUsage(cpuBefore);
  await database.close();
  const sorted = times.toSorted((one, other) => one - other);
  return `| ${(GRANTS * share).toLocaleString('en')} (${share * 100} %) | ${bytes} | ${gzipped} | ${startMilliseconds.toFixed(0)} | ${(sorted[25] ?? 0).toFixed(1)}, ${(sorted.at(-1) ?? 0).toFixed(1)} | ${((cpu.user + cpu.system) / 1000 / 50).toFixed(1)} | ${((memoryAfter - memoryBefore) / 1_048_576).toFixed(1)} |`;

  /** One grant a list, and as many revocations as there were of the others. */
  async function fill(revoked: number, date: number): Promise<void> {
    for (let list = 0; list < LISTS; list++) {
      const entry = entryAt('grants', (list + 1) * LIST_ENTRIES - 1);
      await grantsIn(database, { next: () => entry }).create(newGrant({ ...parties, expiresAt: date + 86_400 }));
    }
    const count = Math.round(GRANTS * revoked);
    const step = GRANTS / Math.max(count, 1);
    await database.transaction(async (transaction) => {
      await transaction.raw('DELETE FROM status_changes');
      for (let from = 0; from < count; from += 10_000) {
        const entries = Array.from({ length: Math.min(10_000, count - from) }, (_, at) =>
          entryAt('grants', Math.floor((from + at) * step)),
        );
        await transaction.raw('INSERT INTO status_changes (first, count, changed_at) SELECT value, 1, ? FROM json_each(?)', [
          date,
          JSON.stringify(entries),
        ]);
      }
    });
  }
}

function memory(): number {
  const { heapUsed, external, arrayBuffers } = process.memoryUsage();
  return heapUsed + Math.max(external, arrayBuffers);
}
