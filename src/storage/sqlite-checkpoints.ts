import type { Knex } from 'knex';
import sqlite3 from 'sqlite3';

/** Writes the log of a SQLite file back into it, on a connection of its own, so that nobody who writes waits for that. */
export interface Checkpoints {
  close(): Promise<void>;
}

// Often enough that little is left for the writer, whose own turn comes at LARGEST_LOG_PAGES; seldom enough that the pages many statements have
// in common are written once.
const STATEMENTS_BETWEEN = 100;

/**
 * Where a write comes to a log of so many pages, it writes back what is left, and the log begins anew: it never does while others write it back
 * and more is written meanwhile. 16 MiB.
 */
export const LARGEST_LOG_PAGES = 4000;

/**
 * @param writer whose statements are counted.
 * @throws Error when the file cannot be opened.
 */
export async function checkpointsBeside(writer: Knex, file: string): Promise<Checkpoints> {
  const connection = await opened(file);
  let statements = 0;
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (statements >= STATEMENTS_BETWEEN) {
      statements = 0;
      // A reader, another process at the same work, a full disk: what is not done now is done by the next one, or by a write.
      await execute(connection, 'PRAGMA wal_checkpoint(PASSIVE)').catch(() => undefined);
    }
    working = undefined;
  }

  function count({ sql }: { readonly sql: string }): void {
    if (!READS.test(sql) && ++statements >= STATEMENTS_BETWEEN) {
      working ??= work();
    }
  }

  writer.on('query', count);
  return {
    async close() {
      writer.off('query', count);
      await working;
      await new Promise((resolve) => {
        connection.close(resolve);
      });
    },
  };
}

const READS = /^\s*select/i;

async function opened(file: string): Promise<sqlite3.Database> {
  const connection = await new Promise<sqlite3.Database>((resolve, reject) => {
    const opening = new sqlite3.Database(file, sqlite3.OPEN_READWRITE, (error) => (error === null ? resolve(opening) : reject(error)));
  });
  // As durable as those who write: the log may only begin anew once the file is on disk.
  await execute(connection, 'PRAGMA synchronous = FULL; PRAGMA cache_size = -64; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF');
  return connection;
}

/** Statements of which nobody wants the rows. */
export function execute(connection: sqlite3.Database, sql: string): Promise<void> {
  return new Promise((done, fail) => {
    connection.exec(sql, (error) => (error === null ? done() : fail(error)));
  });
}
