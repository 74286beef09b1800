import knex, { type Knex } from 'knex';
import pg from 'pg';
import { type Connections, rowsOf } from './database.ts';
import { DatabaseOpenError } from './database-open-error.ts';
import { codeOf } from './failures.ts';
import { silentLog } from './silent-log.ts';

/**
 * Connects to PostgreSQL. Connections are made when they are needed and checked when they are used, so that the pool is well again as soon
 * as the server is.
 * @throws DatabaseOpenError when the server does not answer or refuses.
 */
export async function connectPostgres(
  url: string,
  { limits = REQUEST_LIMITS, hasPooler = false }: { readonly limits?: PoolLimits; readonly hasPooler?: boolean } = {},
): Promise<Connections> {
  const connections = pool(url, limits, hasPooler);
  try {
    await connections.raw('SELECT 1');
    if (hasPooler) {
      await refuseUnsafeRole(connections);
    }
  } catch (error) {
    await connections.destroy();
    throw error instanceof DatabaseOpenError
      ? error
      : new DatabaseOpenError(`${nameOf(url)} cannot be opened: ${reasonOf(error)}`, { cause: error });
  }
  return {
    kind: 'postgres',
    knex: connections,
    rows: async (sql, bindings) => rowsOf(await connections.raw(sql, bindings as Knex.RawBinding[])),
    async patiently(work) {
      const own = pool(url, { connections: 1, statementMilliseconds: 0 }, hasPooler);
      try {
        return await work(own);
      } finally {
        await own.destroy();
      }
    },
    verifyLocation: async () => undefined,
    settle: async () => undefined,
  };
}

/** How much of the server the pool takes. */
export interface PoolLimits {
  readonly connections: number;
  /** How long the server works at a statement before it gives up; 0: for ever. */
  readonly statementMilliseconds: number;
}

const REQUEST_LIMITS: PoolLimits = { connections: 10, statementMilliseconds: 5000 };

const INT8 = 20;

function pool(url: string, limits: PoolLimits, hasPooler: boolean): Knex {
  // Connections that did not answer in time or are being ended. A statement may still run on them, so they are not used again.
  const hung = new Set<string>();
  const instance = knex({
    client: 'pg',
    connection: {
      connectionString: url,
      application_name: 'keyturn',
      connectionTimeoutMillis: 3000,
      // The server keeps the first limit; the second is for a server, or a network, that has stopped to answer at all.
      ...(limits.statementMilliseconds > 0 && { query_timeout: limits.statementMilliseconds + 1000 }),
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
      types: { getTypeParser },
    },
    pool: {
      min: 0,
      max: limits.connections,
      afterCreate: (connection: pg.Client, done: (error?: Error) => void) =>
        hasPooler ? done() : void prepare(connection, limits).then(() => done(), done),
      validate: (connection: object) => !hung.delete(uidOf(connection)),
    },
    acquireConnectionTimeout: 5000,
    // Error texts must not carry bindings: password hashes are among them.
    compileSqlOnError: false,
    log: silentLog,
  });
  instance.on('query-error', (error: Error, query: object) => {
    // 57P01 to 57P03: the server ended the connection and said so; its end may come a moment later than the next statement.
    if (error.message.endsWith('Query read timeout') || /^57P0[1-3]$/.test(codeOf(error))) {
      hung.add(uidOf(query));
    }
  });
  return instance;
}

/** Dates and counters are bigint columns, and far from 2^53. */
function getTypeParser(oid: number): (value: string) => unknown {
  return oid === INT8 ? Number : pg.types.getTypeParser(oid);
}

async function prepare(connection: pg.Client, limits: PoolLimits): Promise<void> {
  await connection.query(`
    SET statement_timeout = ${limits.statementMilliseconds};
    SET idle_in_transaction_session_timeout = ${limits.statementMilliseconds * 2};
    -- A statement that waited for another decides by what that one left behind, whatever the server's default is.
    SET default_transaction_isolation = 'read committed';
    -- An answer is given only for what is on disk. Stricter settings of the server stay.
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'`);
}

/** What `prepare` sets, the pooler would hand to others or forget: the role must have it of itself. */
async function refuseUnsafeRole(connections: Knex): Promise<void> {
  const { rows } = await connections.raw<{ rows: { commit: string; isolation: string }[] }>(
    "SELECT current_setting('synchronous_commit') AS commit, current_setting('default_transaction_isolation') AS isolation",
  );
  const [settings] = rows;
  if (settings?.commit === 'off' || settings?.isolation !== 'read committed') {
    throw new DatabaseOpenError(
      'Behind a pooler nothing can be set on a connection, and the role of DATABASE_URL has unsafe settings: ' +
        "ALTER ROLE … SET synchronous_commit = 'on'; ALTER ROLE … SET default_transaction_isolation = 'read committed'.",
    );
  }
}

/** The name that knex gives a connection, in its pool and in its events. */
function uidOf(named: object): string {
  return '__knexUid' in named && typeof named.__knexUid === 'string' ? named.__knexUid : '';
}

function nameOf(url: string): string {
  // Only host and path: the rest of a URL can carry a password.
  const place = URL.canParse(url) ? new URL(url) : undefined;
  return place === undefined
    ? 'The PostgreSQL database'
    : `The PostgreSQL database ${place.pathname.slice(1)} at ${place.host || 'its socket'}`;
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message.replace(/^SELECT 1 - /, '') : '';
  return (text || codeOf(error) || 'no reason given').replace(/\s+/g, ' ');
}
