import type { Migration } from './migration.ts';

/** What users have beside their password; and when a session began with one, however it was stepped up later. */
export const secondFactors: Migration = {
  name: '0006-second-factors',
  async up(transaction) {
    const postgres = transaction.client.dialect === 'postgresql';
    const key = postgres ? 'text COLLATE "C"' : 'text';
    await transaction.schema.createTable('totp_factors', (table) => {
      table.specificType('user_id', key).notNullable().primary().references('users.id').onDelete('CASCADE');
      table.text('sealed_secret').notNullable();
      table.bigInteger('last_step').notNullable();
      table.bigInteger('created_at').notNullable();
    });
    await transaction.schema.createTable('recovery_codes', (table) => {
      table.specificType('user_id', key).notNullable().references('users.id').onDelete('CASCADE');
      table.specificType('digest', key).notNullable();
      table.primary(['user_id', 'digest']);
    });
    await transaction.schema.alterTable('sessions', (table) => {
      table.bigInteger('login_time');
    });
    await transaction('sessions').update({ login_time: transaction.ref('auth_time') });
  },
  async down(transaction) {
    await transaction.schema.alterTable('sessions', (table) => {
      table.dropColumn('login_time');
    });
    await transaction.schema.dropTable('recovery_codes');
    await transaction.schema.dropTable('totp_factors');
  },
};
