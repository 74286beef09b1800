import type { EpochSeconds } from '../core/clock.ts';
import { type CleanupPace, slicesAt } from './cleanup-pace.ts';
import type { Database } from './database.ts';
import { moveRevision } from './revisions.ts';

// Those that have grants are looked at again after so long.
const AGAIN_SECONDS = 86_400;

/**
 * @returns a function that deletes clients which registered themselves and have not been used in time, the oldest first, but none that has a
 * grant; it answers how many. A page is a transaction of its own.
 */
export function unusedClientsOf(database: Database, pace: CleanupPace): (now: EpochSeconds) => Promise<number> {
  const due = 'SELECT client_id FROM client_registrations WHERE expires_unused_at < ? ORDER BY expires_unused_at LIMIT ?';
  const slice = slicesAt(pace);

  return (now) =>
    slice(async (rows) => {
      const found = await database.rows<{ client_id: string }>(due, [now, rows]);
      const ids = found.map(({ client_id: id }) => id).toSorted();
      const deleted = ids.length === 0 ? 0 : await deletePage(ids, now);
      return { deleted, isLast: ids.length < rows };
    });

  function deletePage(ids: readonly string[], now: EpochSeconds): Promise<number> {
    return database.transaction(async (transaction) => {
      // Whoever says at this moment that one of them is in use comes before, and it is not due any more, or after, and it is gone.
      const overdue = await transaction('client_registrations')
        .whereIn('client_id', ids)
        .where('expires_unused_at', '<', now)
        .update({ expires_unused_at: now + AGAIN_SECONDS })
        .returning<{ client_id: string }[]>('client_id');
      const candidates = overdue.map(({ client_id: id }) => id).toSorted();
      if (database.kind === 'postgres') {
        // A grant that is being made holds on to its client. Once it is here to be seen, or cannot be made any more, the next statement looks.
        await transaction('clients').whereIn('id', candidates).orderBy('id').forUpdate().select('id');
      }
      const gone = await transaction('clients')
        .whereIn('id', candidates)
        .whereNotExists(transaction('grants').whereRaw('grants.client_id = clients.id').select(transaction.raw('1')))
        .delete();
      if (gone > 0) {
        await moveRevision(transaction, 'clients');
      }
      return gone;
    });
  }
}
