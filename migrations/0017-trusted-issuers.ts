import type { Migration } from './migration.ts';

/** Issuers whose assertions count here, whom of their subjects the operator has linked to which user, and users by email address. */
export const trustedIssuers: Migration = {
  name: '0017-trusted-issuers',
  async up(transaction) {
    const postgres = transaction.client.dialect === 'postgresql';
    const key = postgres ? 'text COLLATE "C"' : 'text';
    await transaction.schema.createTable('trusted_issuers', (table) => {
      table.specificType('identifier', key).notNullable().primary();
      table.text('metadata').notNullable();
      table.integer('version').notNullable();
      table.bigInteger('created_at').notNullable();
      table.bigInteger('updated_at').notNullable();
    });
    await transaction.schema.createTable('linked_subjects', (table) => {
      table.specificType('issuer', key).notNullable().references('trusted_issuers.identifier').onDelete('CASCADE');
      table.specificType('subject', key).notNullable();
      table.specificType('user_id', key).notNullable().index().references('users.id').onDelete('CASCADE');
      table.bigInteger('created_at').notNullable();
      table.primary(['issuer', 'subject']);
    });
    await transaction.schema.alterTable('users', (table) => {
      table.index(['email'], 'users_email_index');
    });
  },
  async down(transaction) {
    await transaction.schema.alterTable('users', (table) => {
      table.dropIndex(['email'], 'users_email_index');
    });
    await transaction.schema.dropTable('linked_subjects');
    await transaction.schema.dropTable('trusted_issuers');
    await transaction('revisions').where({ name: 'trusted_issuers' }).delete();
  },
};
