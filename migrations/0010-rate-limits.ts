import type { Migration } from './migration.ts';

/** What all processes together took of their limits, by key: until when it is spent, in microseconds since 1970. */
export const rateLimits: Migration = {
  name: '0010-rate-limits',
  async up(transaction) {
    const postgres = transaction.client.dialect === 'postgresql';
    await transaction.schema.createTable('rate_limits', (table) => {
      table
        .specificType('key', postgres ? 'text COLLATE "C"' : 'text')
        .notNullable()
        .primary();
      table.bigInteger('spent_until').notNullable();
    });
  },
  async down(transaction) {
    await transaction.schema.dropTable('rate_limits');
  },
};
