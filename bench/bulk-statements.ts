import type { Database } from '../src/storage/database.ts';
import { CODE_CHALLENGE, REDIRECT_URI } from './code-exchange.ts';

/** Runs one statement. */
export type Run = (sql: string) => Promise<readonly Record<string, unknown>[]>;

/** Grants of numbers `from` up to, not including, `to`. */
export interface Chunk {
  readonly from: number;
  readonly to: number;
  /** The characters of their ids that say when they were born. */
  readonly prefix: string;
  readonly users: number;
  /** Of every grant whose number `clients` divides. */
  readonly clientId: string;
  readonly clients: number;
  readonly expiresAt: number;
}

/**
 * Takes away the indexes that no key needs, and durability, for as long as the filling lasts.
 * @returns statements that make the indexes again.
 */
export async function beforeBulk(kind: Database['kind'], run: Run): Promise<readonly string[]> {
  const found =
    kind === 'sqlite'
      ? await run(`SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name IN ${TABLES} AND sql IS NOT NULL`)
      : await run(`SELECT indexname AS name, indexdef AS sql FROM pg_indexes WHERE tablename IN ${TABLES}
          AND indexname NOT IN (SELECT conname FROM pg_constraint)`);
  const settings =
    kind === 'sqlite'
      ? ['PRAGMA synchronous = OFF', 'PRAGMA cache_size = -400000', 'PRAGMA foreign_keys = OFF', 'PRAGMA wal_autocheckpoint = 20000']
      : [`SET session_replication_role = replica`, `SET synchronous_commit = off`, `SET maintenance_work_mem = '512MB'`];
  for (const setting of settings) {
    await run(setting);
  }
  for (const { name } of found) {
    await run(`DROP INDEX "${String(name)}"`);
  }
  return found.map(({ sql }) => String(sql));
}

/** Makes the indexes and the planner's statistics. On SQLite the connection is to be closed after it. */
export async function afterBulk(kind: Database['kind'], run: Run, indexes: readonly string[]): Promise<void> {
  for (const index of indexes) {
    await run(index);
  }
  const statements = kind === 'sqlite' ? ['PRAGMA wal_checkpoint(TRUNCATE)'] : ['VACUUM ANALYZE', 'CHECKPOINT'];
  for (const statement of statements) {
    await run(statement);
  }
}

export function userStatement(kind: Database['kind'], { from, to }: Pick<Chunk, 'from' | 'to'>): string {
  return `INSERT INTO users (id, username, canonical_username, email, password_hash, access_token_claims, created_at, updated_at)
    SELECT ${userExpression(kind, 'n')}, 'user-' || n, 'user-' || n, 'user-' || n || '@example.com', '${PASSWORD_HASH}', '{}', ${BORN}, ${BORN}
    FROM ${series(kind, from, to)}`;
}

/** The grants of a chunk, and a session for every twentieth of them. */
export function grantStatements(kind: Database['kind'], chunk: Chunk): readonly string[] {
  const { from, to, prefix, users, clientId, clients, expiresAt } = chunk;
  const id = `'${prefix}' || ${suffixExpression(kind, 'n')}`;
  // A user's grants are far from each other.
  const user = userExpression(kind, `((n * 7919) % ${users})`);
  const now = Math.floor(Date.now() / 1000);
  return [
    `INSERT INTO grants (id, client_id, user_id, scope, resources, auth_time, auth_methods, session_id, redirect_uri, redirect_uri_given,
        code_challenge, generation, generation_at, expires_at, created_at)
      SELECT ${id}, CASE n % ${clients} WHEN 0 THEN '${clientId}' ELSE '${CLIENT_PREFIX}' || (n % ${clients}) END, ${user}, 'api:read', '[]',
        ${now}, '["pwd"]', ${id}, '${REDIRECT_URI}', 1, '${CODE_CHALLENGE}', 1, ${now}, ${expiresAt}, ${now}
      FROM ${series(kind, from, to)}`,
    `INSERT INTO sessions (id, sid, user_id, auth_time, login_time, methods, created_at, idle_expires_at, expires_at)
      SELECT ${id}, ${id}, ${user}, ${now}, ${now}, '["pwd"]', ${now}, ${expiresAt}, ${expiresAt}
      FROM ${series(kind, from, to)} WHERE n % 20 = 1`,
  ];
}

export function clientOf(number: number): string {
  return `${CLIENT_PREFIX}${number}`;
}

export function userOf(number: number): string {
  return USER_PREFIX + suffixOf(number);
}

/** What follows the birth in an identifier: digits of hexadecimal are digits of base32hex, in the same order. The last one has two bits unused. */
export function suffixOf(number: number): string {
  return `${number.toString(16).padStart(8, '0')}${((number * 40_503) % 0x1000_0000).toString(16).padStart(7, '0')}0`;
}

const TABLES = `('grants', 'users', 'sessions')`;
const CLIENT_PREFIX = 'bulk-client-';
const USER_PREFIX = '06e0000000';
const BORN = 1_767_225_600;
const PASSWORD_HASH = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

function suffixExpression(kind: Database['kind'], n: string): string {
  return kind === 'sqlite'
    ? `printf('%08x%07x0', ${n}, (${n} * 40503) % 268435456)`
    : `lpad(to_hex(${n}), 8, '0') || lpad(to_hex((${n} * 40503) % 268435456), 7, '0') || '0'`;
}

function userExpression(kind: Database['kind'], n: string): string {
  return `'${USER_PREFIX}' || ${suffixExpression(kind, n)}`;
}

function series(kind: Database['kind'], from: number, to: number): string {
  return kind === 'sqlite'
    ? `(WITH RECURSIVE counted (n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM counted WHERE n + 1 < ${to}) SELECT n FROM counted) AS series`
    : `generate_series(${from}::bigint, ${to - 1}::bigint) AS series (n)`;
}
