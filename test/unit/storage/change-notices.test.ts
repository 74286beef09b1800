import { expect } from 'chai';
import pg from 'pg';
import { type ChangeNotices, listenForChanges } from '../../../src/storage/change-notices.ts';
import { clientsIn } from '../../../src/storage/clients.ts';
import type { Database } from '../../../src/storage/database.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { postgresDatabases } from '../../support/databases.ts';
import { skipWithoutPostgres } from '../../support/postgres.ts';
import { clientRecord } from './records.ts';

describe('notices of changes, on PostgreSQL (LISTEN and NOTIFY)', () => {
  const databases = postgresDatabases();
  let database: Database;
  let notices: ChangeNotices;
  let told: number;
  let states: unknown[];
  let url: string;
  let wake: (() => void) | undefined;

  before(skipWithoutPostgres);
  beforeEach(async () => {
    const location = await databases.create();
    url = location.kind === 'postgres' ? location.url : '';
    database = await openDatabase(location);
    await migrateUp(database);
    told = 0;
    states = [];
    notices = listenForChanges({
      url,
      onChange() {
        told++;
        wake?.();
      },
      onState: (state) => states.push(state),
    });
    await next();
  });
  afterEach(async () => {
    await notices.stop();
    await database.close();
  });
  after(() => databases.dispose());

  /** Resolves when it is told of the next change. */
  function next(): Promise<void> {
    return new Promise((resolve) => {
      wake = resolve;
    });
  }

  it('come with the first connection, for what was missed before, and with each change', async () => {
    expect(told).to.equal(1);
    const change = next();
    await clientsIn(database).create(clientRecord());
    await change;
    expect(told).to.equal(2);
  });

  it('come once for what changed in one moment', async () => {
    const change = next();
    await Promise.all(Array.from({ length: 20 }, () => clientsIn(database).create(clientRecord())));
    await change;
    const last = next();
    await clientsIn(database).create(clientRecord());
    await last;
    expect(told).to.be.within(3, 12);
  });

  it('do not come for a change that was rolled back', async () => {
    await database
      .transaction(async (transaction) => {
        await transaction.raw("INSERT INTO revisions (name, value) VALUES ('clients', 7)");
        throw new Error('no');
      })
      .catch(() => undefined);
    const change = next();
    await clientsIn(database).create(clientRecord());
    await change;
    expect(told).to.equal(2);
  });

  it('come again after the connection was cut, with what was missed, and the operator is told of both', async function cut() {
    this.timeout(20_000);
    const again = next();
    const other = new pg.Client({ connectionString: url });
    await other.connect();
    await other.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'keyturn listener' AND datname = current_database()",
    );
    await other.end();
    await again;
    expect(states).to.have.length(2);
    expect(states[0]).to.be.instanceOf(Error);
    expect(states[1]).to.equal(undefined);
    const change = next();
    await clientsIn(database).create(clientRecord());
    await change;
  });
});
