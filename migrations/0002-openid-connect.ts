import type { Migration } from './migration.ts';

/** What OpenID Connect and sender-constrained tokens keep: of a grant, of a user, and identifiers that count once. */
export const openidConnect: Migration = {
  name: '0002-openid-connect',
  async up(transaction) {
    const postgres = transaction.client.dialect === 'postgresql';
    const key = postgres ? 'text COLLATE "C"' : 'text';
    await transaction.schema.alterTable('grants', (table) => {
      table.text('openid');
      table.text('confirmation');
      table.bigInteger('bound_from');
    });
    await transaction.schema.alterTable('users', (table) => {
      table.text('profile').notNullable().defaultTo('{}');
    });
    await transaction.schema.createTable('used_identifiers', (table) => {
      table.specificType('namespace', key).notNullable();
      table.specificType('value', key).notNullable();
      table.bigInteger('expires_at').notNullable().index();
      table.primary(['namespace', 'value']);
    });
    await transaction.schema.createTable('pushed_requests', (table) => {
      table.specificType('id', key).notNullable().primary();
      table.specificType('client_id', key).notNullable().index().references('clients.id').onDelete('CASCADE');
      table.text('parameters').notNullable();
      table.integer('signed').notNullable();
      table.bigInteger('expires_at').notNullable().index();
      table.bigInteger('used_at');
    });
    await transaction.schema.createTable('server_values', (table) => {
      table.specificType('name', key).notNullable().primary();
      table.text('value').notNullable();
    });
  },
  async down(transaction) {
    for (const table of ['server_values', 'pushed_requests', 'used_identifiers']) {
      await transaction.schema.dropTable(table);
    }
    // By hand: on SQLite the query builder makes the table anew, and whatever refers to users would go with the old one.
    await transaction.raw('ALTER TABLE users DROP COLUMN profile');
    await transaction.schema.alterTable('grants', (table) => {
      table.dropColumn('bound_from');
      table.dropColumn('confirmation');
      table.dropColumn('openid');
    });
  },
};
