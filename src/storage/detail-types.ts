import type { DetailTypeRecord, DetailTypeStore } from '../authorization-details/detail-type.ts';
import type { Database } from './database.ts';
import { moveRevision } from './revisions.ts';

/** The records of types of authorization details in the database. */
export function detailTypesIn(database: Database): DetailTypeStore {
  return {
    list: async () => (await database.rows<Row>(`SELECT ${COLUMNS} FROM ${TABLE} ORDER BY type`, [])).map(recordOf),
    async find(type) {
      const [row] = await database.rows<Row>(`SELECT ${COLUMNS} FROM ${TABLE} WHERE type = ?`, [type]);
      return row && recordOf(row);
    },
    create: ({ definition, createdAt, updatedAt }) =>
      database.transaction(async (transaction) => {
        const row = { type: definition.type, definition: JSON.stringify(definition), created_at: createdAt, updated_at: updatedAt };
        const created = await transaction(TABLE).insert(row).onConflict('type').ignore().returning('type');
        await moveRevision(transaction, 'detail_types');
        return created.length > 0;
      }),
    replace: (definition, now) =>
      database.transaction(async (transaction) => {
        const changes = { definition: JSON.stringify(definition), updated_at: now };
        const replaced = await transaction(TABLE).where({ type: definition.type }).update(changes);
        await moveRevision(transaction, 'detail_types');
        return replaced > 0;
      }),
    delete: (type) =>
      database.transaction(async (transaction) => {
        const deleted = await transaction(TABLE).where({ type }).delete();
        await moveRevision(transaction, 'detail_types');
        return deleted > 0;
      }),
  };
}

const TABLE = 'authorization_details_types';
const COLUMNS = 'definition, created_at, updated_at';

interface Row {
  readonly definition: string;
  readonly created_at: number;
  readonly updated_at: number;
}

function recordOf(row: Row): DetailTypeRecord {
  return { definition: JSON.parse(row.definition), createdAt: row.created_at, updatedAt: row.updated_at };
}
