import type { Migration } from './migration.ts';

/** What is to be told to clients and has not arrived yet; and the name that clients know a session by. */
export const deliveries: Migration = {
  name: '0003-deliveries',
  async up(transaction) {
    const postgres = transaction.client.dialect === 'postgresql';
    const key = postgres ? 'text COLLATE "C"' : 'text';
    await transaction.schema.createTable('deliveries', (table) => {
      table.specificType('id', key).notNullable().primary();
      table.specificType('client_id', key).notNullable().index().references('clients.id').onDelete('CASCADE');
      table.text('kind').notNullable();
      table.text('payload').notNullable();
      table.integer('attempts').notNullable();
      table.bigInteger('next_attempt_at').notNullable().index();
      table.bigInteger('created_at').notNullable();
      table.bigInteger('expires_at').notNullable();
    });
    await transaction.schema.alterTable('sessions', (table) => {
      table.specificType('sid', key).index();
    });
    await transaction('sessions').update({ sid: transaction.ref('id') });
  },
  async down(transaction) {
    await transaction.schema.alterTable('sessions', (table) => {
      table.dropIndex('sid');
      table.dropColumn('sid');
    });
    await transaction.schema.dropTable('deliveries');
  },
};
