import { access, constants, mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import knex, { type Knex } from 'knex';
import type sqlite3 from 'sqlite3';
import { StorageUnavailable } from '../core/errors.ts';
import type { Connections } from './database.ts';
import { DatabaseOpenError } from './database-open-error.ts';
import { codeOf } from './failures.ts';
import { silentLog } from './silent-log.ts';
import { type Checkpoints, checkpointsBeside, execute, LARGEST_LOG_PAGES } from './sqlite-checkpoints.ts';
import { POLL_MILLISECONDS, patientClient } from './sqlite-locks.ts';
import { sqliteStatements } from './sqlite-statements.ts';

/**
 * Opens a SQLite file with one connection: SQLite has one writer, and one connection is the simplest queue for it.
 * @param lockWaitMilliseconds how long a write waits for another process that writes.
 * @throws DatabaseOpenError when the file cannot be made, read or written, is damaged, or is no SQLite database.
 */
export async function connectSqlite(path: string, lockWaitMilliseconds = LOCK_WAIT_MILLISECONDS): Promise<Connections> {
  const file = resolve(path);
  let connection: Knex | undefined;
  try {
    await makeFile(path, file);
    const opened = await identityOf(file);
    connection = connectTo(file, opened, lockWaitMilliseconds);
    await refuseDamage(connection, (await stat(file)).size);
    const checkpoints = await checkpointsBeside(connection, file);
    return connectionsOn(connection, { file, opened, lockWaitMilliseconds, checkpoints });
  } catch (error) {
    await connection?.destroy();
    throw error instanceof DatabaseOpenError ? error : new DatabaseOpenError(failureLine(file, error), { cause: error });
  }
}

// A full look takes about a second for each gigabyte. A larger file would hold up the start: SQLite then finds damage as it meets it.
const LARGEST_CHECKED_BYTES = 256 * 1024 * 1024;

// What a -wal that grew in a busy hour is cut back to.
const LARGEST_KEPT_LOG_BYTES = 64 * 1024 * 1024;

// Pages that are kept in memory once read. The default of 2 MiB does not even hold the inner pages of the indexes of ten million grants; a small
// database takes no more than it has.
const LARGEST_CACHE_KIBIBYTES = 64 * 1024;

const LOCK_WAIT_MILLISECONDS = 5000;

async function makeFile(path: string, file: string): Promise<void> {
  if (path === '' || path.startsWith(':memory:')) {
    throw new DatabaseOpenError('A SQLite database needs a file: one in memory would forget every grant at the next start.');
  }
  if (await exists(file)) {
    // Asked of the file system and not by opening: to close any descriptor of a file takes away the locks that this process holds on it.
    await access(file, constants.R_OK | constants.W_OK);
    await access(dirname(file), constants.W_OK);
    return;
  }
  if (await exists(`${file}-wal`)) {
    throw new DatabaseOpenError(
      `The SQLite database ${file} is missing, but its ${file}-wal is there: put the database back, or move the -wal away.`,
    );
  }
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  // SQLite gives its -wal and -shm the mode of the database.
  const created = await open(file, 'a', 0o600);
  await created.close();
}

function connectTo(file: string, opened: string, lockWaitMilliseconds: number): Knex {
  return knex({
    client: patientClient(lockWaitMilliseconds),
    connection: { filename: file },
    useNullAsDefault: true,
    pool: {
      min: 1,
      max: 1,
      afterCreate: (connection: sqlite3.Database, done: (error?: Error) => void) =>
        void prepare(connection, file, opened, lockWaitMilliseconds).then(
          () => done(),
          (error: unknown) => connection.close(() => done(error instanceof Error ? error : new Error(String(error)))),
        ),
    },
    // Longer than a wait for another process's lock, so that the queue behind such a wait outlives it.
    acquireConnectionTimeout: LOCK_WAIT_MILLISECONDS + lockWaitMilliseconds,
    // Error texts must not carry bindings: password hashes are among them.
    compileSqlOnError: false,
    log: silentLog,
  });
}

async function prepare(connection: sqlite3.Database, file: string, opened: string, lockWaitMilliseconds: number): Promise<void> {
  // A connection that is made later must not find another file, or make an empty one.
  if ((await identityOf(file)) !== opened) {
    throw replaced(file);
  }
  await execute(connection, `PRAGMA busy_timeout = ${POLL_MILLISECONDS}`);
  await enterWal(connection, performance.now() + lockWaitMilliseconds);
  await execute(
    connection,
    `PRAGMA synchronous = FULL;
     PRAGMA foreign_keys = ON;
     PRAGMA cache_size = -${LARGEST_CACHE_KIBIBYTES};
     PRAGMA mmap_size = 0;
     PRAGMA trusted_schema = OFF;
     PRAGMA wal_autocheckpoint = ${LARGEST_LOG_PAGES};
     PRAGMA journal_size_limit = ${LARGEST_KEPT_LOG_BYTES}`,
  );
}

/** The change into WAL takes the whole file, and SQLite does not wait for it by itself: of two processes that start at once, one is told BUSY. */
async function enterWal(connection: sqlite3.Database, deadline: number): Promise<void> {
  for (;;) {
    try {
      return await execute(connection, 'PRAGMA journal_mode = WAL');
    } catch (error) {
      if (codeOf(error) !== 'SQLITE_BUSY' || performance.now() > deadline) {
        throw error;
      }
      await pause(20);
    }
  }
}

async function refuseDamage(connection: Knex, bytes: number): Promise<void> {
  if (bytes > LARGEST_CHECKED_BYTES) {
    await connection.raw('SELECT count(*) FROM sqlite_schema');
    return;
  }
  const [found]: { quick_check?: string }[] = await connection.raw('PRAGMA quick_check(1)');
  if (found?.quick_check !== 'ok') {
    throw Object.assign(new Error(found?.quick_check), { code: 'SQLITE_CORRUPT' });
  }
}

function connectionsOn(
  connection: Knex,
  {
    file,
    opened,
    lockWaitMilliseconds,
    checkpoints,
  }: { readonly file: string; readonly opened: string; readonly lockWaitMilliseconds: number; readonly checkpoints: Checkpoints },
): Connections {
  const statements = sqliteStatements(connection, lockWaitMilliseconds);
  return {
    kind: 'sqlite',
    knex: connection,
    rows: statements.rows,
    patiently: (work) => work(connection),
    async verifyLocation() {
      if ((await identityOf(file).catch(() => undefined)) !== opened) {
        throw replaced(file);
      }
    },
    async settle() {
      statements.finalize();
      await checkpoints.close();
      await connection.raw('PRAGMA wal_checkpoint(TRUNCATE)');
    },
  };
}

/** Device and inode: what an open file is, wherever its name points by now. */
async function identityOf(file: string): Promise<string> {
  const { dev, ino } = await stat(file, { bigint: true });
  return `${dev}:${ino}`;
}

function replaced(file: string): StorageUnavailable {
  return new StorageUnavailable(`The SQLite database ${file} was deleted or replaced while it was open: restart the server.`);
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    (error: unknown) => {
      if (codeOf(error) === 'ENOENT') {
        return false;
      }
      throw error;
    },
  );
}

function failureLine(file: string, error: unknown): string {
  const reason = error instanceof Error ? error.message.replace(/\s+/g, ' ') : String(error);
  return ['SQLITE_CORRUPT', 'SQLITE_NOTADB'].includes(codeOf(error))
    ? `The SQLite database ${file} is damaged (${reason}): stop the server and put a backup in its place.`
    : `The SQLite database ${file} cannot be opened: ${reason}`;
}
