import type { Migration } from './migration.ts';

/** Requests that a client waits on while a user decides elsewhere (RFC 8628, OpenID CIBA). */
export const deferredRequests: Migration = {
  name: '0013-deferred-requests',
  async up(transaction) {
    const postgres = transaction.client.dialect === 'postgresql';
    const key = postgres ? 'text COLLATE "C"' : 'text';
    await transaction.schema.createTable('deferred_requests', (table) => {
      table.specificType('id', key).notNullable().primary();
      table.text('kind').notNullable();
      table.specificType('client_id', key).notNullable().references('clients.id').onDelete('CASCADE');
      // A keyed digest; null: it has none, or is decided. So a code is unique among those that can still be entered.
      table.specificType('user_code', key).unique();
      // Whom it is for, and then who decided it; null: whoever enters its code.
      table.specificType('user_id', key).references('users.id').onDelete('CASCADE');
      table.text('parameters').notNullable();
      table.text('remote_address').notNullable();
      table.bigInteger('created_at').notNullable();
      table.bigInteger('expires_at').notNullable().index();
      table.integer('interval_seconds').notNullable();
      table.bigInteger('next_poll_at').notNullable();
      table.integer('polled_too_soon').notNullable().defaultTo(0);
      table.integer('entries').notNullable().defaultTo(0);
      table.text('decision');
      table.bigInteger('decided_at');
      table.text('grant_id');
      table.index(['client_id', 'expires_at']);
      table.index('user_id');
    });
  },
  async down(transaction) {
    await transaction.schema.dropTable('deferred_requests');
  },
};
