import type { Knex } from 'knex';
import type { Migration } from './migration.ts';

/**
 * Clients that a document of their own describes: when it was fetched, until when it counts, when it was last of use. And pushed requests
 * without a row of their client, for such a client has none before a user allows it something: what strangers push goes by itself.
 */
export const documentClients: Migration = {
  name: '0015-document-clients',
  async up(transaction) {
    await transaction.schema.alterTable('clients', (table) => {
      table.bigInteger('document_fetched_at');
      table.bigInteger('document_fresh_until');
      table.bigInteger('document_used_at');
    });
    await pushedRequests(transaction, (table, key) => table.specificType('client_id', key).notNullable());
  },
  async down(transaction) {
    await transaction.raw(
      'DELETE FROM pushed_requests WHERE NOT EXISTS (SELECT 1 FROM clients WHERE clients.id = pushed_requests.client_id)',
    );
    await pushedRequests(transaction, (table, key) =>
      table.specificType('client_id', key).notNullable().references('clients.id').onDelete('CASCADE'),
    );
    // Without their documents nobody answers for them.
    await transaction('clients').whereNotNull('document_fetched_at').delete();
    for (const column of ['document_used_at', 'document_fresh_until', 'document_fetched_at']) {
      // By hand: on SQLite the query builder makes the table anew, and whatever refers to clients would go with the old one.
      await transaction.raw('ALTER TABLE clients DROP COLUMN ??', [column]);
    }
  },
};

/** Makes the table anew with another column `client_id`: SQLite cannot take a reference out of one. */
async function pushedRequests(
  transaction: Knex.Transaction,
  clientId: (table: Knex.CreateTableBuilder, key: string) => unknown,
): Promise<void> {
  const key = transaction.client.dialect === 'postgresql' ? 'text COLLATE "C"' : 'text';
  const columns = 'id, client_id, parameters, signed, expires_at, used_at, keep_until';
  await transaction.raw(`CREATE TABLE pushed_requests_before AS SELECT ${columns} FROM pushed_requests`);
  await transaction.schema.dropTable('pushed_requests');
  await transaction.schema.createTable('pushed_requests', (table) => {
    table.specificType('id', key).notNullable().primary();
    clientId(table, key);
    table.text('parameters').notNullable();
    table.integer('signed').notNullable();
    table.bigInteger('expires_at').notNullable();
    table.bigInteger('used_at');
    table.bigInteger('keep_until').notNullable().defaultTo(0);
    table.index('keep_until');
    table.index(['client_id', 'keep_until']);
  });
  await transaction.raw(`INSERT INTO pushed_requests (${columns}) SELECT ${columns} FROM pushed_requests_before`);
  await transaction.schema.dropTable('pushed_requests_before');
}
