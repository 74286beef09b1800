import type { Knex } from 'knex';
import { type EntryBlock, type EntrySeries, entryAt, LIST_ENTRIES, listOf, type StatusEntries } from '../status-lists/entries.ts';
import { type Database, rowsOf } from './database.ts';
import { reportGoneParties } from './failures.ts';

/** How many entries for grants a process takes at a time. Those of a process that ends are lost, which costs nothing but numbers. */
const GRANT_BLOCK = 256;

/**
 * The counters of entries in the database. A counter only grows, and by the statement that reserves: so no entry is given twice, on any number
 * of nodes, and whenever one is killed.
 */
export function statusEntriesIn(database: Database): StatusEntries {
  const blocks: EntryBlock[] = [];
  let used = 0;
  let filling: Promise<void> | undefined;

  function take(): number | undefined {
    for (let [block] = blocks; block !== undefined; [block] = blocks) {
      if (used < block.count) {
        return block.first + used++;
      }
      blocks.shift();
      used = 0;
    }
    return undefined;
  }

  function fill(): Promise<void> {
    filling ??= database
      .run((knex) => reserve(knex, 'grants', GRANT_BLOCK))
      .then((block) => void blocks.push(block))
      .finally(() => {
        filling = undefined;
      });
    return filling;
  }

  /** While the last of them are given out, so that nobody waits. If it fails, whoever needs one asks again, and is told. */
  function fillAhead(): void {
    if (blocks.length === 1 && used > GRANT_BLOCK * 0.75) {
      fill().catch(() => undefined);
    }
  }

  async function afterFilling(): Promise<number> {
    for (;;) {
      await fill();
      const entry = take();
      if (entry !== undefined) {
        return entry;
      }
    }
  }

  database.beforeClose(async () => {
    await filling?.catch(() => undefined);
  });

  return {
    next() {
      const entry = take();
      if (entry === undefined) {
        return afterFilling();
      }
      fillAhead();
      return entry;
    },
    reserve: (clientId, count, expiresAt) =>
      reportGoneParties(() =>
        database.transaction(async (transaction) => {
          const reserved = await reserve(transaction, 'clients', count);
          await transaction('status_blocks').insert({ ...reserved, client_id: clientId, expires_at: expiresAt });
          return reserved;
        }),
      ),
    reserveSpare: (count) => database.run((knex) => reserve(knex, 'clients', count)),
    assign: (assignments, now) =>
      database.transaction(async (transaction) => {
        for (const { entry, clientId, expiresAt } of assignments) {
          await transaction.raw(
            `INSERT INTO status_blocks (first, count, client_id, expires_at)
             SELECT ?, 1, id, ? FROM clients WHERE id = ? ON CONFLICT (first) DO NOTHING`,
            [entry, expiresAt, clientId],
          );
          await transaction.raw(
            `INSERT INTO status_changes (first, count, changed_at) SELECT ?, 1, ? WHERE NOT EXISTS (SELECT 1 FROM clients WHERE id = ?)`,
            [entry, now, clientId],
          );
        }
      }),
    async listsInUse(now) {
      const counters = await database.rows<{ name: EntrySeries; next: number }>('SELECT name, next FROM status_counters', []);
      const newest = counters.map(({ name, next }) => listOf(entryAt(name, next)));
      const ofBlocks = await database.rows<{ list: number }>(
        `SELECT DISTINCT first / ${LIST_ENTRIES} AS list FROM status_blocks WHERE expires_at > ?`,
        [now],
      );
      const ofGrants = await database.rows<{ list: number }>(LISTS_OF_GRANTS, []);
      const all = [...newest, ...[...ofBlocks, ...ofGrants].map(({ list }) => list)];
      return [...new Set(all)].toSorted((one, other) => one - other);
    },
  };
}

/** From one list to the next by the index: a look a list, however many grants there are. */
const LISTS_OF_GRANTS = `WITH RECURSIVE used (list) AS (
    SELECT min(status_entry) / ${LIST_ENTRIES} FROM grants
    UNION ALL
    SELECT (SELECT min(status_entry) / ${LIST_ENTRIES} FROM grants WHERE status_entry >= (used.list + 1) * ${LIST_ENTRIES})
    FROM used WHERE used.list IS NOT NULL
  ) SELECT list FROM used WHERE list IS NOT NULL`;

// A block never lies in two lists: the rest of a list that is too small for it is left out.
const RESERVATION = `UPDATE status_counters SET next = ? +
    CASE WHEN next % ${LIST_ENTRIES} + ? > ${LIST_ENTRIES} THEN (next / ${LIST_ENTRIES} + 1) * ${LIST_ENTRIES} ELSE next END
  WHERE name = ? RETURNING next`;

async function reserve(knex: Knex, series: EntrySeries, count: number): Promise<EntryBlock> {
  const answer: unknown = await knex.raw(RESERVATION, [count, count, series]);
  const [counter] = rowsOf<{ readonly next: number }>(answer);
  if (counter === undefined) {
    throw new Error(`The counter of status entries for ${series} is gone.`);
  }
  return { first: entryAt(series, counter.next - count), count };
}
