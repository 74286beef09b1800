import type { Migration } from './migration.ts';

/** Streams of security events (OpenID Shared Signals Framework 1.0), the subjects that were taken off them, and what is not acknowledged yet. */
export const sharedSignals: Migration = {
  name: '0012-shared-signals',
  async up(transaction) {
    const postgres = transaction.client.dialect === 'postgresql';
    const key = postgres ? 'text COLLATE "C"' : 'text';
    await transaction.schema.createTable('event_streams', (table) => {
      table.specificType('id', key).notNullable().primary();
      table.specificType('client_id', key).notNullable().index().references('clients.id').onDelete('CASCADE');
      // null: the receiver polls.
      table.text('endpoint_url');
      table.text('sealed_authorization');
      table.text('events_requested');
      table.text('description');
      table.text('status').notNullable();
      table.text('status_reason');
      table.bigInteger('verification_requested_at');
      table.integer('version').notNullable();
      table.bigInteger('created_at').notNullable();
    });
    await transaction.schema.createTable('event_stream_removed_subjects', (table) => {
      table.specificType('stream_id', key).notNullable().references('event_streams.id').onDelete('CASCADE');
      table.specificType('subject', key).notNullable();
      table.primary(['stream_id', 'subject']);
    });
    await transaction.schema.createTable('security_events', (table) => {
      table.specificType('id', key).notNullable().primary();
      table.specificType('stream_id', key).notNullable().references('event_streams.id').onDelete('CASCADE');
      table.text('type').notNullable();
      table.text('payload').notNullable();
      table.bigInteger('created_at').notNullable();
      table.bigInteger('expires_at').notNullable().index();
      table.index(['stream_id', 'id']);
    });
  },
  async down(transaction) {
    await transaction('deliveries').where({ kind: 'security_event' }).delete();
    await transaction.schema.dropTable('security_events');
    await transaction.schema.dropTable('event_stream_removed_subjects');
    await transaction.schema.dropTable('event_streams');
  },
};
