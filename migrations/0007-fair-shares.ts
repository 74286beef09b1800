import type { Migration } from './migration.ts';

/**
 * What keeps one client from taking the room of all: until when a pushed request is kept, which is longer for one that a browser has come with,
 * and how those of a client are counted; and an index that finds what is due for others than those clients who have all their places.
 */
export const fairShares: Migration = {
  name: '0007-fair-shares',
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
    await transaction.schema.alterTable('deliveries', (table) => {
      table.dropIndex('next_attempt_at');
      table.index(['next_attempt_at', 'id', 'client_id']);
    });
  },
  async down(transaction) {
    await transaction.schema.alterTable('deliveries', (table) => {
      table.dropIndex(['next_attempt_at', 'id', 'client_id']);
      table.index('next_attempt_at');
    });
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
