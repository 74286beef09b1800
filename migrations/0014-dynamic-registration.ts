import type { Migration } from './migration.ts';

/** Clients that registered themselves (RFC 7591), the tokens that let them, and whose software statements are believed. */
export const dynamicRegistration: Migration = {
  name: '0014-dynamic-registration',
  async up(transaction) {
    const postgres = transaction.client.dialect === 'postgresql';
    const key = postgres ? 'text COLLATE "C"' : 'text';
    await transaction.schema.alterTable('clients', (table) => {
      // null: by the operator.
      table.text('registered_itself');
    });
    await transaction.schema.createTable('client_registrations', (table) => {
      table.specificType('client_id', key).notNullable().primary().references('clients.id').onDelete('CASCADE');
      table.specificType('registered_by', key).notNullable().index();
      table.text('allowance');
      table.text('software_statement');
      table.bigInteger('generation').notNullable();
      table.bigInteger('expires_unused_at').notNullable().index();
    });
    await transaction.schema.createTable('registration_tokens', (table) => {
      table.specificType('id', key).notNullable().primary();
      table.specificType('digest', key).notNullable().unique();
      table.text('allowance').notNullable();
      table.bigInteger('uses_left').notNullable();
      table.bigInteger('created_at').notNullable();
      table.bigInteger('expires_at').notNullable().index();
    });
    await transaction.schema.createTable('software_publishers', (table) => {
      table.specificType('issuer', key).notNullable().primary();
      table.text('name').notNullable();
      table.text('jwks').notNullable();
      table.bigInteger('created_at').notNullable();
    });
  },
  async down(transaction) {
    await transaction.schema.dropTable('software_publishers');
    await transaction.schema.dropTable('registration_tokens');
    await transaction.schema.dropTable('client_registrations');
    // By hand: on SQLite the query builder makes the table anew, and whatever refers to clients would go with the old one.
    await transaction.raw('ALTER TABLE clients DROP COLUMN registered_itself');
  },
};
