import type { Knex } from 'knex';
import type { Migration } from './migration.ts';

/** The first schema. Dates are seconds since 1970; lists and documents are JSON text, so that both databases hold the same. */
export const initial: Migration = {
  name: '0001-initial',
  async up(transaction) {
    const postgres = transaction.client.dialect === 'postgresql';
    // Text that is compared and sorted byte by byte, as SQLite does it, and not as the language of the database has it.
    const key = postgres ? 'text COLLATE "C"' : 'text';
    await transaction.schema.createTable('clients', (table) => {
      table.specificType('id', key).notNullable().primary();
      table.text('metadata').notNullable();
      table.text('secrets').notNullable();
      table.integer('version').notNullable();
      table.bigInteger('created_at').notNullable();
      table.bigInteger('updated_at').notNullable();
    });
    await transaction.schema.createTable('users', (table) => {
      table.specificType('id', key).notNullable().primary();
      table.text('username').notNullable();
      table.specificType('canonical_username', key).notNullable().unique();
      table.text('email');
      table.text('name');
      table.text('password_hash').notNullable();
      table.bigInteger('disabled_at');
      table.text('access_token_claims').notNullable();
      table.bigInteger('created_at').notNullable();
      table.bigInteger('updated_at').notNullable();
    });
    await transaction.schema.createTable('grants', (table) => grants(table, key));
    if (postgres) {
      // Room on each page for the next version of a row: with it, and with no index on what a rotation changes, a rotation touches no index.
      await transaction.raw('ALTER TABLE grants SET (fillfactor = 80)');
    }
    await transaction.schema.createTable('consents', (table) => {
      table.specificType('user_id', key).notNullable().references('users.id').onDelete('CASCADE');
      table.specificType('client_id', key).notNullable().index().references('clients.id').onDelete('CASCADE');
      table.specificType('scope_value', key).notNullable();
      table.bigInteger('granted_at').notNullable();
      table.primary(['user_id', 'client_id', 'scope_value']);
    });
    await transaction.schema.createTable('sessions', (table) => {
      table.specificType('id', key).notNullable().primary();
      table.specificType('user_id', key).notNullable().index().references('users.id').onDelete('CASCADE');
      table.bigInteger('auth_time').notNullable();
      table.text('methods').notNullable();
      table.bigInteger('created_at').notNullable();
      table.bigInteger('idle_expires_at').notNullable();
      table.bigInteger('expires_at').notNullable();
    });
    await transaction.schema.createTable('revoked_access_tokens', (table) => {
      table.specificType('jti', key).notNullable().primary();
      table.bigInteger('expires_at').notNullable();
    });
    await transaction.schema.createTable('login_attempts', (table) => {
      table.specificType('key', key).notNullable().primary();
      table.integer('attempts').notNullable();
      table.bigInteger('last_attempt_at').notNullable();
      table.bigInteger('barred_until');
    });
    await transaction.schema.createTable('revisions', (table) => {
      table.specificType('name', key).notNullable().primary();
      table.bigInteger('value').notNullable();
    });
  },
  async down(transaction) {
    // Those that refer to others first.
    for (const table of ['revisions', 'login_attempts', 'revoked_access_tokens', 'sessions', 'consents', 'grants', 'users', 'clients']) {
      await transaction.schema.dropTable(table);
    }
  },
};

function grants(table: Knex.CreateTableBuilder, key: string): void {
  table.specificType('id', key).notNullable().primary();
  table.specificType('client_id', key).notNullable().index().references('clients.id').onDelete('CASCADE');
  table.specificType('user_id', key).notNullable().index().references('users.id').onDelete('CASCADE');
  table.text('scope').notNullable();
  table.text('resources').notNullable();
  table.bigInteger('auth_time').notNullable();
  table.text('auth_methods').notNullable();
  table.specificType('session_id', key).notNullable().index();
  table.text('redirect_uri');
  table.integer('redirect_uri_given');
  table.text('code_challenge');
  table.bigInteger('generation').notNullable();
  table.bigInteger('generation_at').notNullable();
  table.bigInteger('expires_at').notNullable();
  table.bigInteger('absolute_expires_at');
  table.bigInteger('created_at').notNullable();
  table.bigInteger('revoked_at');
  table.text('revocation_reason');
}
