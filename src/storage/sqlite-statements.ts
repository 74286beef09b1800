import type { Knex } from 'knex';
import { LRUCache } from 'lru-cache';
import type sqlite3 from 'sqlite3';
import type { Binding } from './database.ts';
import { codeOf } from './failures.ts';
import { untilUnlocked } from './sqlite-locks.ts';

/** Statements that are compiled once and run many times: SQLite takes longer to compile the statement of a rotation than to run it for one row. */
export interface SqliteStatements {
  /** Waits its turn for the connection, as a query of Knex does. */
  rows<Row>(sql: string, bindings: readonly Binding[]): Promise<readonly Row[]>;
  /** Lets go of all of them: a connection that has any does not close. */
  finalize(): void;
}

// The program's own texts are fewer. Those that a list makes longer or shorter push each other out.
const MOST_KEPT = 100;

/**
 * @param knex whose pool has one connection.
 * @param longestWaitMilliseconds for a lock that another process has.
 */
export function sqliteStatements(knex: Knex, longestWaitMilliseconds: number): SqliteStatements {
  let compiledOn: sqlite3.Database | undefined;
  const compiled = new LRUCache<string, sqlite3.Statement>({
    max: MOST_KEPT,
    dispose(statement, _sql, reason) {
      if (reason === 'evict') {
        statement.finalize();
      }
    },
  });

  function statementOn(connection: sqlite3.Database, sql: string): Promise<sqlite3.Statement> | sqlite3.Statement {
    if (connection !== compiledOn) {
      finalize();
      compiledOn = connection;
    }
    return compiled.get(sql) ?? compile(connection, sql);
  }

  function compile(connection: sqlite3.Database, sql: string): Promise<sqlite3.Statement> {
    return new Promise((resolve, reject) => {
      const statement = connection.prepare(sql, (error: Error | null) => {
        if (error !== null) {
          return reject(error);
        }
        compiled.set(sql, statement);
        resolve(statement);
      });
    });
  }

  function finalize(): void {
    for (const statement of compiled.values()) {
      statement.finalize();
    }
    compiled.clear();
  }

  async function run<Row>(connection: sqlite3.Database, sql: string, bindings: readonly Binding[]): Promise<readonly Row[]> {
    const statement = await statementOn(connection, sql);
    try {
      return await all<Row>(statement, bindings);
    } catch (error) {
      // One that met a lock stays where it is, to be gone on with: and while one that writes is under way, what others on this connection
      // write is not committed, though SQLite tells them that it is done.
      await (codeOf(error) === 'SQLITE_BUSY' ? reset(statement) : letGo(sql, statement));
      throw error;
    }
  }

  /** Has happened when it resolves. */
  function letGo(sql: string, statement: sqlite3.Statement): Promise<void> {
    return new Promise((resolve) => {
      statement.finalize(() => resolve());
      compiled.delete(sql);
    });
  }

  return {
    async rows<Row>(sql: string, bindings: readonly Binding[]) {
      const connection: sqlite3.Database = await knex.client.acquireConnection();
      try {
        // As Knex does: whoever listens to its queries hears of these too.
        knex.client.emit('query', { sql, bindings });
        return await untilUnlocked(longestWaitMilliseconds, () => run<Row>(connection, sql, bindings));
      } finally {
        knex.client.releaseConnection(connection);
      }
    },
    finalize,
  };
}

function reset(statement: sqlite3.Statement): Promise<void> {
  return new Promise((resolve) => {
    statement.reset(() => resolve());
  });
}

function all<Row>(statement: sqlite3.Statement, bindings: readonly Binding[]): Promise<readonly Row[]> {
  return new Promise((resolve, reject) => {
    statement.all<Row>(bindings, (error, rows) => (error === null ? resolve(rows) : reject(error)));
  });
}
