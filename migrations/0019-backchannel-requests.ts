import type { Migration } from './migration.ts';

/** What requests of OpenID Client-Initiated Backchannel Authentication have beside those of devices. */
export const backchannelRequests: Migration = {
  name: '0019-backchannel-requests',
  async up(transaction) {
    await transaction.schema.alterTable('deferred_requests', (table) => {
      // Whether the client signed it.
      table.integer('is_signed').notNullable().defaultTo(0);
      // What the client is told by (ping mode), sealed; null: it is not told.
      table.text('sealed_notification');
    });
  },
  async down(transaction) {
    await transaction('deliveries').where({ kind: 'ciba_ping' }).delete();
    await transaction('deferred_requests').where({ kind: 'ciba' }).delete();
    await transaction.schema.alterTable('deferred_requests', (table) => {
      table.dropColumn('sealed_notification');
      table.dropColumn('is_signed');
    });
  },
};
