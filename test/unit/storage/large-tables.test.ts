import { expect } from 'chai';
import { expireOldest, fill } from '../../../bench/bulk-grants.ts';
import { systemClock } from '../../../src/core/clock.ts';
import { cleanupOf } from '../../../src/storage/cleanup.ts';
import type { Database } from '../../../src/storage/database.ts';
import { checkDatabase } from '../../../src/storage/health.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { repositoriesIn } from '../../../src/storage/repositories.ts';
import { onEachDatabase } from '../../support/databases.ts';
import { clientAndUser, newGrant } from './records.ts';
import { planOf, recorded, type Statement } from './statements.ts';

// Enough for a planner to see that the table is not a small one.
const GRANTS = 50_000;

const WHOLE_TABLE = /^SCAN (grants|sessions|users|used_identifiers)\b|Seq Scan on (grants|sessions|users|used_identifiers)\b/;

onEachDatabase('statements on large tables', (databases) => {
  let database: Database;
  let grantIds: readonly string[];
  let clientId: string;
  let userId: string;

  before(async function fillTables() {
    this.timeout(120_000);
    const location = await databases.create();
    const empty = await openDatabase(location);
    await migrateUp(empty);
    ({ clientId, userId } = await clientAndUser(empty));
    const grants = await fill(empty, clientId, GRANTS);
    await expireOldest(empty, grants, 1000);
    await empty.rows(
      `WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ${GRANTS})
       INSERT INTO used_identifiers (namespace, value, expires_at) SELECT 'dpop', 'proof ' || n, n FROM counted`,
      [],
    );
    if (databases.kind === 'postgres') {
      await empty.rows('ANALYZE', []);
    }
    await empty.close();
    database = await openDatabase(location);
    grantIds = Array.from({ length: 256 }, (_, index) => grants.grantId(10_000 + index * 10));
  });

  after(() => database.close());

  it('rotates, redeems, finds, creates and revokes grants by their key, one alone and many at once', async () => {
    const { grants } = repositoriesIn(database);
    const now = systemClock.now();
    const statements = await recorded(database);
    const [first = ''] = grantIds;
    await grants.find(first);
    const rotate = (grantId: string, from: number): Promise<unknown> =>
      grants.advance({ grantId, clientId, from, to: from + 1, now, lifetimeSeconds: 1000 });
    expect(await rotate(first, 1)).not.to.equal(undefined);
    const rotated = await Promise.all(grantIds.slice(1).map((grantId) => rotate(grantId, 1)));
    expect(rotated).not.to.include(undefined);
    await grants.create(newGrant({ clientId, userId }));
    await grants.revoke(first, 'operator', now);
    await grants.list({ userId }, { limit: 100 });
    expect(await scansOf(statements.all)).to.deep.equal([]);
  });

  it('cleans up without a look at the whole of a table', async () => {
    const statements = await recorded(database);
    const cleanup = cleanupOf(database);
    let deleted = 0;
    for (let run = 0; run < 60 && deleted < 900; run++) {
      deleted += (await cleanup.run({ now: systemClock.now(), keepSeconds: 900, forgetAttemptsSeconds: 100 })).grants;
    }
    // Those that the filling gave a session stay.
    expect(deleted).to.be.at.least(900);
    expect(statements.deletionsOf('grants')).to.be.greaterThan(0);
    expect(statements.about('used_identifiers')).not.to.deep.equal([]);
    expect(await scansOf(statements.all)).to.deep.equal([]);
  });

  it('starts without a look at the whole of a table', async () => {
    const statements = await recorded(database);
    await migrateUp(database);
    await checkDatabase(database);
    const repositories = repositoriesIn(database);
    await repositories.serverValues.findOrMake('pairwise_salt', () => 'salt');
    expect(await scansOf(statements.all)).to.deep.equal([]);
  });

  it('would show a look at the whole of a table, with an index and without', async () => {
    const statements = await recorded(database);
    await database.rows("SELECT count(*) FROM grants WHERE scope = 'none'", []);
    await database.rows('SELECT count(*) FROM sessions WHERE sessions.idle_expires_at < 5', []);
    expect(await scansOf(statements.all)).to.have.length(2);
  });

  /** Steps of the statements' plans that read a whole table, or a whole index. */
  async function scansOf(statements: readonly Statement[]): Promise<readonly string[]> {
    // The plans are statements, too, and are not to be explained.
    const plans = await Promise.all([...statements].map((statement) => planOf(database, statement)));
    return plans.flatMap((plan) => plan.split('\n')).filter((line) => WHOLE_TABLE.test(line.trim()));
  }
});
