import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { type PostgresCluster, startPostgresCluster } from './postgres-cluster.ts';

/** The PostgreSQL server that all suites of a run share. */
export interface PostgresServer {
  /** Makes an empty database and answers its URL. */
  createDatabase(): Promise<string>;
  /** Drops it, cutting the connections to it. */
  dropDatabase(url: string): Promise<void>;
}

/**
 * The one server of this process, started when the first suite asks: `TEST_DATABASE_URL` (an account that may create databases), else a
 * cluster of our own. undefined when there is no way to run PostgreSQL here.
 * @throws Error instead where a run without PostgreSQL must not pass: with `CI` or `REQUIRE_POSTGRES` set, or when `TEST_DATABASE_URL` does not answer.
 */
export function sharedPostgres(): Promise<PostgresServer | undefined> {
  shared ??= begin();
  return shared;
}

/** Ends the shared server and drops what is left. For the end of the run. */
export async function stopSharedPostgres(): Promise<void> {
  // A server that could not be had was reported where it was asked for.
  await shared?.catch(() => undefined);
  for (const url of databases.keys()) {
    await drop(url).catch(() => undefined);
  }
  await cluster?.destroy();
  shared = undefined;
  cluster = undefined;
}

/** `before(skipWithoutPostgres)`: starts the shared server, or marks the tests below as pending, loudly. */
export async function skipWithoutPostgres(this: Mocha.Context): Promise<void> {
  this.timeout(60_000);
  if ((await sharedPostgres()) === undefined) {
    this.skip();
  }
}

let shared: Promise<PostgresServer | undefined> | undefined;
let cluster: PostgresCluster | undefined;
/** Databases on a server that outlives the run; on our own cluster they go with it. */
const databases = new Map<string, string>();

async function begin(): Promise<PostgresServer | undefined> {
  const given = process.env['TEST_DATABASE_URL'];
  if (given !== undefined && given !== '') {
    await query(given, 'SELECT 1');
    return serverAt(given);
  }
  try {
    cluster = await startPostgresCluster();
    return serverAt(cluster.url);
  } catch (error) {
    if (isSet('CI') || isSet('REQUIRE_POSTGRES')) {
      throw error;
    }
    process.stderr.write(banner(error instanceof Error ? error.message : String(error)));
    return undefined;
  }
}

function serverAt(adminUrl: string): PostgresServer {
  return {
    async createDatabase() {
      const name = `keyturn_test_${randomBytes(8).toString('hex')}`;
      // template0 has no sessions, so that several may copy it at once.
      await query(adminUrl, `CREATE DATABASE ${name} TEMPLATE template0`);
      const url = new URL(adminUrl);
      url.pathname = `/${name}`;
      databases.set(url.href, adminUrl);
      return url.href;
    },
    dropDatabase: drop,
  };
}

async function drop(url: string): Promise<void> {
  const adminUrl = databases.get(url);
  if (adminUrl === undefined) {
    throw new Error('This database was not made here, so it is not dropped here.');
  }
  databases.delete(url);
  await query(adminUrl, `DROP DATABASE IF EXISTS ${new URL(url).pathname.slice(1)} WITH (FORCE)`);
}

async function query(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function isSet(variable: string): boolean {
  return !['', '0', 'false', undefined].includes(process.env[variable]);
}

function banner(reason: string): string {
  const line = '*'.repeat(100);
  return `\n${line}\n*** NO POSTGRESQL: every suite that needs it is SKIPPED (shown as pending).\n*** ${reason}\n*** Set TEST_DATABASE_URL=postgres://… to a server where databases may be created.\n${line}\n\n`;
}
