import type { Migration } from './migration.ts';

/** Protected resources (RFC 8707) that are registered by themselves, and not only named by clients. */
export const resources: Migration = {
  name: '0004-resources',
  async up(transaction) {
    const postgres = transaction.client.dialect === 'postgresql';
    const key = postgres ? 'text COLLATE "C"' : 'text';
    await transaction.schema.createTable('resources', (table) => {
      table.specificType('identifier', key).notNullable().primary();
      table.text('metadata').notNullable();
      table.integer('version').notNullable();
      table.bigInteger('created_at').notNullable();
      table.bigInteger('updated_at').notNullable();
    });
  },
  async down(transaction) {
    await transaction.schema.dropTable('resources');
    await transaction('revisions').where({ name: 'resources' }).delete();
  },
};
