import type { Knex } from 'knex';
import type { EpochSeconds } from '../core/clock.ts';
import type { Grant, RevocationReason } from '../grants/grant.ts';
import type { Advance, GrantFilter, Grants, NewGrant } from '../grants/grants.ts';
import type { StatusEntries } from '../status-lists/entries.ts';
import { batchInput } from './batch-input.ts';
import type { Database } from './database.ts';
import { isRetryable, reportGoneParties } from './failures.ts';
import { confirmationText, grantSelection, NEW_GRANT_COLUMNS, type NumberedGrant, valuesOf } from './grant-rows.ts';
import { statusEntriesIn } from './status-entries.ts';
import { coalesceWrites } from './write-coalescer.ts';

/** The records of grants in the database. One to a database: it holds the queue of its writes. */
export function grantsIn(database: Database, entries: Pick<StatusEntries, 'next'> = statusEntriesIn(database)): Grants {
  const changes = coalesceWrites({ key: idOf, run: changer(database), ...LIMITS });
  const creations = coalesceWrites({ key: ({ id }: NumberedGrant) => id, run: creator(database), ...LIMITS });
  // Questions travel together too: a call of the driver costs more than the row. The same grant may be asked for many times in one batch.
  const lookups = coalesceWrites({ key: ({ place: own }: Lookup) => String(own), run: finder(database), ...LIMITS });
  let place = 0;
  // Those that wait for an entry are accepted all the same, and written before the database closes.
  const waiting = new Set<Promise<boolean>>();

  /** Gives each grant an entry, here and not where it is made: so none is without. */
  function numbered(grant: NewGrant): Promise<boolean> {
    const entry = entries.next();
    if (typeof entry === 'number') {
      return creations.submit({ ...grant, statusEntry: entry });
    }
    const creation = entry.then((statusEntry) => creations.submit({ ...grant, statusEntry })).finally(() => waiting.delete(creation));
    waiting.add(creation);
    return creation;
  }

  database.beforeClose(async () => {
    await Promise.allSettled(waiting);
    await Promise.all([changes.close(), creations.close(), lookups.close()]);
  });

  return {
    create: (grant) => reportGoneParties(() => numbered(grant)),
    find: (id) => lookups.submit({ id, place: place++ }),
    advance: (advance) => changes.submit({ kind: 'advance', ...advance }),
    revoke: async (id, reason, now) => (await changes.submit({ kind: 'revoke', grantId: id, reason, now })) !== undefined,
    revokeAll: (filter, reason, now) =>
      database.run((knex) =>
        matching(knex('grants'), filter).whereNull('revoked_at').update({ revoked_at: now, revocation_reason: reason }),
      ),
    async renewStatusEntry(id, statusEntry) {
      const fresh = await entries.next();
      await database.rows('UPDATE grants SET status_entry = ? WHERE id = ? AND status_entry = ? AND revoked_at IS NULL', [
        fresh,
        id,
        statusEntry,
      ]);
    },
    async list(filter, { before, limit }) {
      const selection = grantSelection(database.kind);
      const rows = await database.run((knex) => {
        const query = matching(knex('grants'), filter).select(knex.raw(selection.sql)).orderBy('id', 'desc').limit(limit);
        return before === undefined ? query : query.where('id', '<', before);
      });
      return (rows as object[]).map(selection.grantOf);
    },
  };
}

const LIMITS = { largestBatch: 256, longestQueue: 10_000, longestWaitMilliseconds: 5000 };

interface Lookup {
  readonly id: string;
  /** Its number, so that none is like another. */
  readonly place: number;
}

/** @returns for each question the grant, as it is after all that was written before it was asked. */
function finder(database: Database): (batch: readonly Lookup[]) => Promise<readonly (Grant | undefined)[]> {
  const input = batchInput(database.kind, [['id', 'text']]);
  const selection = grantSelection(database.kind);
  const statement = `SELECT ${selection.sql} FROM grants JOIN ${input.sql} ON grants.id = input.id`;

  return async (batch) => {
    const ids = [...new Set(batch.map(({ id }) => id))];
    const rows = await database.rows<object>(statement, input.bindings(ids.map((id) => [id])));
    const byId = grantsById(rows.map(selection.grantOf));
    return batch.map(({ id }) => byId.get(id));
  };
}

function grantsById(grants: readonly Grant[]): ReadonlyMap<string, Grant> {
  return new Map(grants.map((grant) => [grant.id, grant]));
}

/** What waits in the queue for one statement: a compare-and-swap on the generation, or the end of a grant. */
type Change =
  | ({ readonly kind: 'advance' } & Advance)
  | { readonly kind: 'revoke'; readonly grantId: string; readonly reason: RevocationReason; readonly now: EpochSeconds };

const CHANGE_COLUMNS = [
  ['id', 'text'],
  ['at', 'bigint'],
  ['client_id', 'text'],
  ['from_generation', 'bigint'],
  ['to_generation', 'bigint'],
  ['expires_at', 'bigint'],
  ['confirmation', 'text'],
  ['binding', 'text'],
  ['catch_up', 'integer'],
  ['reason', 'text'],
] as const;

/** @returns for each change the grant afterwards, or undefined where nothing was changed. */
function changer(database: Database): (batch: readonly Change[]) => Promise<readonly (Grant | undefined)[]> {
  const input = batchInput(database.kind, CHANGE_COLUMNS);
  const selection = grantSelection(database.kind);
  const least = database.kind === 'sqlite' ? 'min' : 'least';
  const statement = `
    UPDATE grants SET
      generation = coalesce(input.to_generation, grants.generation),
      generation_at = CASE WHEN input.to_generation <> grants.generation THEN input.at ELSE grants.generation_at END,
      expires_at = CASE WHEN input.reason IS NULL
        THEN ${least}(input.expires_at, coalesce(grants.absolute_expires_at, input.expires_at)) ELSE grants.expires_at END,
      confirmation = CASE input.binding
        WHEN 'bind' THEN coalesce(input.confirmation, grants.confirmation) WHEN 'release' THEN NULL ELSE grants.confirmation END,
      bound_from = CASE WHEN input.binding = 'release' THEN NULL
        WHEN input.binding = 'bind' AND input.confirmation IS NOT NULL THEN coalesce(grants.bound_from, input.to_generation)
        ELSE grants.bound_from END,
      revoked_at = CASE WHEN input.reason IS NOT NULL THEN input.at END,
      revocation_reason = input.reason
    FROM ${input.sql}
    WHERE grants.id = input.id AND grants.revoked_at IS NULL AND (
      input.reason IS NOT NULL OR (
        grants.client_id = input.client_id AND grants.generation = input.from_generation
        AND CASE WHEN input.catch_up = 1 THEN coalesce(grants.absolute_expires_at, input.at + 1) ELSE grants.expires_at END > input.at
        AND (grants.confirmation IS NULL OR grants.confirmation = input.confirmation)
        AND EXISTS (SELECT 1 FROM users WHERE users.id = grants.user_id AND users.disabled_at IS NULL)))
    RETURNING ${selection.sql}`;

  return async (batch) => {
    // Nodes that lock the same rows in the same order do not wait for each other in a circle.
    const rows = batch.map(inputOf).toSorted(([a], [b]) => (a < b ? -1 : 1));
    const changed = await again(() => database.rows<object>(statement, input.bindings(rows)));
    const byId = grantsById(changed.map(selection.grantOf));
    return batch.map(({ grantId }) => byId.get(grantId));
  };
}

function idOf({ grantId }: Change): string {
  return grantId;
}

function inputOf(change: Change): readonly [string, ...(string | number | null)[]] {
  return change.kind === 'advance'
    ? [
        change.grantId,
        change.now,
        change.clientId,
        change.from,
        change.to,
        change.now + change.lifetimeSeconds,
        confirmationText(change.confirmation),
        change.binding ?? null,
        change.catchUp === true ? 1 : 0,
        null,
      ]
    : [change.grantId, change.now, null, null, null, null, null, null, 0, change.reason];
}

const CREATION_COLUMNS = [...NEW_GRANT_COLUMNS, ['needs_session', 'integer'], ['needs_enabled_user', 'integer']] as const;

function creator(database: Database): (batch: readonly NumberedGrant[]) => Promise<readonly boolean[]> {
  const input = batchInput(database.kind, CREATION_COLUMNS);
  const names = NEW_GRANT_COLUMNS.map(([name]) => name).join(', ');
  // Whoever ends the session deletes its row first. Locked here, the row either goes before this statement, which then finds it gone, or after
  // it, and then the grant is there to be found. SQLite has one writer at a time.
  const lock = database.kind === 'postgres' ? 'FOR KEY SHARE' : '';
  // Whoever disables a user changes the row first, and revokes the grants after.
  const userLock = database.kind === 'postgres' ? 'FOR SHARE' : '';
  const statement = `INSERT INTO grants (${names}) SELECT ${names} FROM ${input.sql}
    WHERE (input.needs_session = 0 OR EXISTS (
      SELECT 1 FROM sessions WHERE sessions.sid = input.session_id AND sessions.user_id = input.user_id ${lock}))
    AND (input.needs_enabled_user = 0 OR EXISTS (
      SELECT 1 FROM users WHERE users.id = input.user_id AND users.disabled_at IS NULL ${userLock}))
    RETURNING id`;

  return async (batch) => {
    const rows = batch.map((grant) => [
      ...valuesOf(grant),
      grant.onlyInLiveSession === true ? 1 : 0,
      grant.onlyForEnabledUser === true ? 1 : 0,
    ]);
    const made = await again(() => database.rows<{ readonly id: string }>(statement, input.bindings(rows)));
    const ids = new Set(made.map(({ id }) => id));
    return batch.map(({ id }) => ids.has(id));
  };
}

/** A deadlock or a serialization failure undoes the whole statement, so it may simply run again. */
async function again<T>(statement: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await statement();
    } catch (error) {
      if (attempt === 3 || !(error instanceof Error && isRetryable(error.cause))) {
        throw error;
      }
    }
  }
}

function matching<Query extends Knex.QueryBuilder>(query: Query, filter: GrantFilter): Query {
  const columns = [
    ['user_id', filter.userId],
    ['client_id', filter.clientId],
    ['session_id', filter.sessionId],
  ] as const;
  for (const [column, value] of columns) {
    if (value !== undefined) {
      query.where(column, value);
    }
  }
  return query;
}
