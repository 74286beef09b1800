import type { Migration } from './migration.ts';

/** Until when a pushed request is kept, which is longer for one that a browser has come with; and how to count those of a client. */
export const pushedRequestRetention: Migration = {
  name: '0007-pushed-request-retention',
  async up(transaction) {
    await transaction.schema.alterTable('pushed_requests', (table) => {
      table.bigInteger('keep_until').notNullable().defaultTo(0);
    });
    // Nobody wrote down whether a browser came with them: each as if one did, for the hour that a login may take.
    await transaction('pushed_requests').update({ keep_until: transaction.raw('expires_at + 3600') });
    await transaction.schema.alterTable('pushed_requests', (table) => {
      table.dropIndex('expires_at');
      table.dropIndex('client_id');
      table.index('keep_until');
      table.index(['client_id', 'keep_until']);
    });
  },
  async down(transaction) {
    await transaction.schema.alterTable('pushed_requests', (table) => {
      table.dropIndex(['client_id', 'keep_until']);
      table.dropIndex('keep_until');
      table.index('client_id');
      table.index('expires_at');
    });
    await transaction.schema.alterTable('pushed_requests', (table) => {
      table.dropColumn('keep_until');
    });
  },
};
