import type { Migration } from './migration.ts';

/** Types of authorization details that the operator registers, and the details of a grant. */
export const authorizationDetails: Migration = {
  name: '0005-authorization-details',
  async up(transaction) {
    const postgres = transaction.client.dialect === 'postgresql';
    const key = postgres ? 'text COLLATE "C"' : 'text';
    await transaction.schema.createTable('authorization_details_types', (table) => {
      table.specificType('type', key).notNullable().primary();
      table.text('definition').notNullable();
      table.bigInteger('created_at').notNullable();
      table.bigInteger('updated_at').notNullable();
    });
    await transaction.schema.alterTable('grants', (table) => {
      table.text('authorization_details');
    });
  },
  async down(transaction) {
    await transaction.schema.alterTable('grants', (table) => {
      table.dropColumn('authorization_details');
    });
    await transaction.schema.dropTable('authorization_details_types');
  },
};
