import { StorageUnavailable } from '../core/errors.ts';

/**
 * Runs a piece of database work. An outage (locked, full, read-only, damaged, unreachable, too slow, shut down) is thrown as
 * `StorageUnavailable` with the driver's error as its cause; anything else is a bug and passes unchanged.
 */
export async function reportOutages<T>(work: () => PromiseLike<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw isOutage(error) ? new StorageUnavailable(`The database is unavailable: ${nameOf(error)}.`, { cause: error }) : error;
  }
}

/**
 * Runs a write that refers to a client and a user. One of them may have been deleted since it was looked at: trying again finds that out, so
 * it is reported as an outage, and not as the bug that a broken reference would be elsewhere.
 */
export async function reportGoneParties<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    const isBroken = codeOf(error) === '23503' || (error instanceof Error && error.message.includes('FOREIGN KEY constraint failed'));
    throw isBroken ? new StorageUnavailable('The client or the user of the record is gone.', { cause: error }) : error;
  }
}

/** Whether PostgreSQL undid the statement only because of what others did at the same moment: it may be run again as it is. */
export function isRetryable(error: unknown): boolean {
  return ['40001', '40P01'].includes(codeOf(error));
}

/** The driver's code for an error (`SQLITE_BUSY`, an SQLSTATE, `ECONNREFUSED`); empty when it has none. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

// https://sqlite.org/rescode.html: the file, the disk, the memory or the lock, not the statement.
const SQLITE_OUTAGES = new Set(
  ['BUSY', 'LOCKED', 'FULL', 'IOERR', 'READONLY', 'CANTOPEN', 'CORRUPT', 'NOTADB', 'PROTOCOL', 'NOMEM', 'INTERRUPT', 'PERM', 'AUTH'].map(
    (name) => `SQLITE_${name}`,
  ),
);

// https://www.postgresql.org/docs/current/errcodes-appendix.html. 08 connection, 28 login refused (a password being changed), 3D database
// gone, 40 rolled back, 53 resources, 57 operator intervention and statement timeout, 58 system, F0 configuration file, XX damage.
const POSTGRES_OUTAGES = /^(08|28|3D|40|53|57|58|F0|XX)...$|^25006$|^55P03$/;

const SOCKET_OUTAGES = /^E(CONN|PIPE|TIMEDOUT|NOTFOUND|HOST|NET|AI_|ADDR|MFILE|NFILE)/;

// What the drivers and the pool say without a code.
const OUTAGE_TEXTS =
  /Connection terminated|Connection ended|timeout expired|Query read timeout|not queryable|Unable to acquire a connection|Timeout acquiring a connection|Database (handle )?is closed|^aborted$/;

function isOutage(error: unknown): boolean {
  const code = codeOf(error);
  return (
    SQLITE_OUTAGES.has(code) ||
    POSTGRES_OUTAGES.test(code) ||
    SOCKET_OUTAGES.test(code) ||
    (error instanceof Error && (error.name === 'KnexTimeoutError' || error.name === 'TimeoutError' || OUTAGE_TEXTS.test(error.message)))
  );
}

function nameOf(error: unknown): string {
  return codeOf(error) || (error instanceof Error ? error.name : 'unknown');
}
