import { newIdentifier } from '../src/core/identifiers.ts';
import { type Database, rowsOf } from '../src/storage/database.ts';
import { afterBulk, beforeBulk, clientOf, grantStatements, type Run, suffixOf, userOf, userStatement } from './bulk-statements.ts';
import { CODE_CHALLENGE, REDIRECT_URI } from './code-exchange.ts';

/** Grants by the million. What one of them is can be computed from its number, so nothing of them is kept in memory. */
export interface BulkGrants {
  readonly count: number;
  /** The id of the grant of that number, from 0. */
  grantId(number: number): string;
}

/** Of so many grants in a row the first is of the client that the load authenticates as. */
export const CLIENTS = 10;

const GRANTS_A_USER = 10;
const CHUNK = 50_000;
const DAY_MILLISECONDS = 86_400_000;
const BORN_OVER_DAYS = 14;

/**
 * Fills a database that has one client: ids as the server makes them, sorted by birth, born over the last 14 days, with refresh tokens of
 * generation 1; ten clients, a user for ten grants, whose grants are spread over the table, a live session for every twentieth.
 */
export async function fill(database: Database, clientId: string, count: number): Promise<BulkGrants> {
  const startedAt = Date.now() - BORN_OVER_DAYS * DAY_MILLISECONDS;
  const prefixOf = (number: number): string =>
    prefix(startedAt + Math.floor(Math.floor(number / CHUNK) * CHUNK * ((BORN_OVER_DAYS * DAY_MILLISECONDS) / count)));
  const users = Math.ceil(count / GRANTS_A_USER);
  const expiresAt = Math.floor(Date.now() / 1000) + BORN_OVER_DAYS * 86_400;
  await database.patiently(async (knex) => {
    const run: Run = async (sql) => rowsOf(await knex.raw(sql));
    const indexes = await beforeBulk(database.kind, run);
    for (let client = 1; client < CLIENTS; client++) {
      await run(`INSERT INTO clients (id, metadata, secrets, version, created_at, updated_at)
        SELECT '${clientOf(client)}', metadata, secrets, version, created_at, updated_at
        FROM clients WHERE id = '${clientId}'`);
    }
    for (let from = 0; from < users; from += CHUNK) {
      await run(userStatement(database.kind, { from, to: Math.min(from + CHUNK, users) }));
    }
    for (let from = 0; from < count; from += CHUNK) {
      const chunk = { from, to: Math.min(from + CHUNK, count), prefix: prefixOf(from), users, clientId, clients: CLIENTS, expiresAt };
      for (const statement of grantStatements(database.kind, chunk)) {
        await run(statement);
      }
    }
    await afterBulk(database.kind, run, indexes);
  });
  return { count, grantId: (number) => prefixOf(number) + suffixOf(number) };
}

/** Lets the oldest grants have been over for a long time. */
export async function expireOldest(database: Database, grants: BulkGrants, count: number): Promise<void> {
  for (let from = 0; from < count; from += CHUNK) {
    await database.patiently((knex) =>
      knex('grants')
        .where('id', '>=', grants.grantId(from))
        .where('id', '<=', grants.grantId(Math.min(from + CHUNK, count) - 1))
        .update({ expires_at: LONG_AGO }),
    );
  }
}

const LONG_AGO = 1000;

/** How many grants there are. */
export async function countGrants(database: Database): Promise<number> {
  return database.patiently(async (knex) => {
    const [row] = rowsOf<{ readonly n: number | string }>(await knex.raw('SELECT count(*) AS n FROM grants'));
    return Number(row?.n);
  });
}

/** Makes grants whose codes nobody has redeemed yet. @returns their ids. */
export async function insertCodes(database: Database, clientId: string, count: number): Promise<readonly string[]> {
  const ids = Array.from({ length: count }, () => newIdentifier());
  const now = Math.floor(Date.now() / 1000);
  const rows = ids.map((id) => ({
    id,
    client_id: clientId,
    user_id: userOf(0),
    scope: 'api:read',
    resources: '[]',
    auth_time: now,
    auth_methods: '["pwd"]',
    session_id: newIdentifier(),
    redirect_uri: REDIRECT_URI,
    redirect_uri_given: 1,
    code_challenge: CODE_CHALLENGE,
    generation: 0,
    generation_at: now,
    expires_at: now + 600,
    created_at: now,
  }));
  for (let from = 0; from < count; from += ROWS_A_STATEMENT) {
    await database.run((knex) => knex('grants').insert(rows.slice(from, from + ROWS_A_STATEMENT)));
  }
  return ids;
}

/** Takes grants away again, so that a small database stays small. */
export async function removeGrants(database: Database, ids: readonly string[]): Promise<void> {
  for (let from = 0; from < ids.length; from += ROWS_A_STATEMENT) {
    await database.run((knex) =>
      knex('grants')
        .whereIn('id', ids.slice(from, from + ROWS_A_STATEMENT))
        .delete(),
    );
  }
}

const ROWS_A_STATEMENT = 500;

/** The first characters of an identifier that was born then. */
function prefix(milliseconds: number): string {
  return `${newIdentifier(milliseconds).slice(0, 9)}0`;
}
