import type { Knex } from 'knex';
import sqlite3 from 'sqlite3';

/** Writes the log of a SQLite file back into it, on a connection of its own, so that nobody who writes waits for that. */
export interface Checkpoints {
  close(): Promise<void>;
}

// Seldom enough that the pages many statements have in common are written once.
const STATEMENTS_BETWEEN = 25;

// From so many on the log is to begin anew (8 MiB).
const LONG_LOG_PAGES = 2000;

/** Where that did not come about, the write that comes to a log of so many pages writes it back itself (32 MiB). */
export const LARGEST_LOG_PAGES = 8000;

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
      await writeBack().catch(() => undefined);
    }
    working = undefined;
  }

  /**
   * The log begins anew with the write that finds all of it in the file, and under a load without pauses there is always a little more in it. So
   * the last little is written back on the writer's own connection, between two of its writes.
   */
  async function writeBack(): Promise<void> {
    if ((await checkpoint(connection)) > LONG_LOG_PAGES) {
      await checkpoint(connection);
      await writer.raw(CHECKPOINT);
    }
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

const CHECKPOINT = 'PRAGMA wal_checkpoint(PASSIVE)';

/** @returns how many pages the log has. */
function checkpoint(connection: sqlite3.Database): Promise<number> {
  return new Promise((resolve, reject) => {
    connection.get<{ readonly log: number }>(CHECKPOINT, (error, row) => (error === null ? resolve(row.log) : reject(error)));
  });
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
