import type { ResourceRecord, ResourceStore } from '../resources/resource.ts';
import type { Database } from './database.ts';
import { moveRevision } from './revisions.ts';

/** The records of resources in the database. */
export function resourcesIn(database: Database): ResourceStore {
  return {
    async find(identifier) {
      const [row] = await database.rows<ResourceRow>('SELECT * FROM resources WHERE identifier = ?', [identifier]);
      return row && recordOf(row);
    },
    async list({ after, limit }) {
      const rows = await database.run((knex) => {
        const query = knex<ResourceRow>('resources').orderBy('identifier').select<ResourceRow[]>('*');
        const page = limit === undefined ? query : query.limit(limit);
        return after === undefined ? page : page.where('identifier', '>', after);
      });
      return rows.map(recordOf);
    },
    create: (record) =>
      database.transaction(async (transaction) => {
        const created = await transaction<ResourceRow>('resources')
          .insert(rowOf(record))
          .onConflict('identifier')
          .ignore()
          .returning('identifier');
        return moved(transaction, created.length);
      }),
    replace: (record) =>
      database.transaction(async (transaction) => {
        const { identifier, version, created_at: _, ...changes } = rowOf(record);
        const replaced = await transaction<ResourceRow>('resources')
          .where({ identifier, version })
          .update({ ...changes, version: version + 1 });
        return moved(transaction, replaced);
      }),
    delete: (identifier) =>
      database.transaction(async (transaction) => moved(transaction, await transaction('resources').where({ identifier }).delete())),
  };
}

interface ResourceRow {
  readonly identifier: string;
  readonly metadata: string;
  readonly version: number;
  readonly created_at: number;
  readonly updated_at: number;
}

function rowOf({ identifier, metadata, version, createdAt, updatedAt }: ResourceRecord): ResourceRow {
  return { identifier, metadata: JSON.stringify(metadata), version, created_at: createdAt, updated_at: updatedAt };
}

function recordOf({ identifier, metadata, version, created_at, updated_at }: ResourceRow): ResourceRecord {
  return { identifier, metadata: JSON.parse(metadata), version, createdAt: created_at, updatedAt: updated_at };
}

/** Whether a row was changed, which all processes are told then. */
async function moved(transaction: Parameters<typeof moveRevision>[0], rows: number): Promise<boolean> {
  if (rows > 0) {
    await moveRevision(transaction, 'resources');
  }
  return rows > 0;
}
