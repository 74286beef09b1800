import type { EntryBlock } from '../status-lists/entries.ts';
import type { StatusChanges } from '../status-lists/status-changes.ts';
import type { Database } from './database.ts';

/** The record of revocations in the database, which triggers write (migrations/0008-status-lists.ts). */
export function statusChangesIn(database: Database): StatusChanges {
  return {
    ...(database.kind === 'postgres' ? bySnapshot(database) : byNumber(database)),
    async all(since, take) {
      let last = 0;
      for (;;) {
        const page = await database.rows<ChangeRow>(
          `SELECT id, first, count FROM status_changes WHERE id > ? AND changed_at >= ? ORDER BY id LIMIT ${PAGE_ROWS}`,
          [last, since],
        );
        take(page);
        if (page.length < PAGE_ROWS) {
          return;
        }
        last = page.at(-1)?.id ?? last;
      }
    },
  };
}

type InOrder = Pick<StatusChanges, 'position' | 'after'>;

interface ChangeRow extends EntryBlock {
  readonly id: number;
}

const PAGE_ROWS = 5000;

/** SQLite has one writer at a time: what is committed later has the higher number. */
function byNumber(database: Database): InOrder {
  return {
    async position() {
      const [newest] = await database.rows<{ id: number | null }>('SELECT max(id) AS id FROM status_changes', []);
      return String(newest?.id ?? 0);
    },
    async after(position) {
      const changes = await database.rows<ChangeRow>('SELECT id, first, count FROM status_changes WHERE id > ? ORDER BY id', [
        Number(position),
      ]);
      return { changes, position: String(changes.at(-1)?.id ?? position) };
    },
  };
}

/**
 * On PostgreSQL transactions end in another order than they take numbers, so a reader that remembered the last number would miss those that
 * were late. The position is a snapshot: what this one could not see, whoever began it and whenever, is what is new in the next.
 */
function bySnapshot(database: Database): InOrder {
  // One row at least, so that the snapshot comes along, of the same statement.
  const statement = `SELECT now.snapshot::text AS snapshot, pg_snapshot_xmin(now.snapshot) < pg_snapshot_xmin(?::pg_snapshot) AS went_back,
      changes.first, changes.count
    FROM (SELECT pg_current_snapshot() AS snapshot) AS now
    LEFT JOIN status_changes AS changes ON changes.transaction_id >= pg_snapshot_xmin(?::pg_snapshot)
      AND NOT pg_visible_in_snapshot(changes.transaction_id, ?::pg_snapshot)`;

  return {
    async position() {
      // Rows of a dump that was made on another server may name transactions that have not been here yet: they are as old as any.
      await database.rows(
        `UPDATE status_changes SET transaction_id = pg_current_xact_id()
         WHERE transaction_id >= pg_snapshot_xmax(pg_current_snapshot()) AND transaction_id <> pg_current_xact_id()`,
        [],
      );
      const [now] = await database.rows<{ snapshot: string }>('SELECT pg_current_snapshot()::text AS snapshot', []);
      return now?.snapshot ?? '';
    },
    async after(position) {
      const rows = await database.rows<{ snapshot: string; went_back: boolean; first: number | null; count: number | null }>(statement, [
        position,
        position,
        position,
      ]);
      const [now] = rows;
      if (now === undefined || now.went_back) {
        return undefined;
      }
      const changes = rows.flatMap(({ first, count }) => (first === null || count === null ? [] : [{ first, count }]));
      return { changes, position: now.snapshot };
    },
  };
}
