import type { Knex } from 'knex';
import type { Migration } from './migration.ts';

/**
 * PostgreSQL tells its listeners when something changes that other nodes keep in memory (channel keyturn_changes, the name of the table as
 * payload), with the commit of the change itself. SQLite has no such thing; processes that share a file look.
 */
export const changeNotices: Migration = {
  name: '0009-change-notices',
  async up(transaction) {
    if (!isPostgres(transaction)) {
      return;
    }
    await transaction.raw(`
      CREATE FUNCTION keyturn_tell_change() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        PERFORM pg_notify('keyturn_changes', TG_TABLE_NAME);
        RETURN NULL;
      END $$`);
    for (const table of TABLES) {
      await transaction.raw(
        `CREATE TRIGGER ${table}_tell_change AFTER INSERT OR UPDATE ON ${table} FOR EACH STATEMENT EXECUTE FUNCTION keyturn_tell_change()`,
      );
    }
  },
  async down(transaction) {
    if (!isPostgres(transaction)) {
      return;
    }
    for (const table of TABLES) {
      await transaction.raw(`DROP TRIGGER ${table}_tell_change ON ${table}`);
    }
    await transaction.raw('DROP FUNCTION keyturn_tell_change()');
  },
};

const TABLES = ['revisions'];

function isPostgres(transaction: Knex.Transaction): boolean {
  return transaction.client.dialect === 'postgresql';
}
