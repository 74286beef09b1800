import type { Knex } from 'knex';
import type { Migration } from './migration.ts';

/**
 * Token Status List: the entry of each grant, the entries that were reserved for tokens of clients, and what was revoked. What ends a grant
 * notes its entry by a trigger, so that no statement, of whatever program, can end one and leave its tokens in good standing.
 */
export const statusLists: Migration = {
  name: '0008-status-lists',
  async up(transaction) {
    const postgres = transaction.client.dialect === 'postgresql';
    const key = postgres ? 'text COLLATE "C"' : 'text';
    await transaction.schema.createTable('status_counters', (table) => {
      table.specificType('name', key).notNullable().primary();
      table.bigInteger('next').notNullable();
    });
    await transaction.schema.createTable('status_changes', (table) => {
      // On SQLite AUTOINCREMENT: a number that was deleted is not given again, so whoever remembers the last one misses none.
      table.bigIncrements('id');
      table.bigInteger('first').notNullable();
      table.integer('count').notNullable();
      table.bigInteger('changed_at').notNullable().index();
      if (postgres) {
        // Identifiers are given before the commit and become visible in another order: what is new since a snapshot, only its transaction tells.
        table.specificType('transaction_id', 'xid8').notNullable().defaultTo(transaction.raw('pg_current_xact_id()')).index();
      }
    });
    await transaction.schema.createTable('status_blocks', (table) => {
      table.bigInteger('first').notNullable().primary();
      table.integer('count').notNullable();
      table.specificType('client_id', key).notNullable().index().references('clients.id').onDelete('CASCADE');
      table.bigInteger('expires_at').notNullable().index();
    });
    await transaction.schema.alterTable('grants', (table) => {
      table.bigInteger('status_entry');
    });
    await giveEntries(transaction);
    await transaction.schema.alterTable('grants', (table) => {
      // No entry twice; and the lists in use are found by it. A rotation does not touch the column, nor so the index.
      table.unique(['status_entry']);
    });
    for (const statement of postgres ? POSTGRES_TRIGGERS : SQLITE_TRIGGERS) {
      await transaction.raw(statement);
    }
  },
  async down(transaction) {
    if (transaction.client.dialect === 'postgresql') {
      await transaction.raw('DROP TRIGGER grants_status_updated ON grants');
      await transaction.raw('DROP TRIGGER grants_status_deleted ON grants');
    } else {
      await transaction.raw('DROP TRIGGER grants_status_revoked');
      await transaction.raw('DROP TRIGGER grants_status_renewed');
      await transaction.raw('DROP TRIGGER grants_status_deleted');
    }
    await transaction.schema.alterTable('grants', (table) => {
      table.dropUnique(['status_entry']);
      table.dropColumn('status_entry');
    });
    for (const table of ['status_blocks', 'status_changes', 'status_counters']) {
      await transaction.schema.dropTable(table);
    }
    if (transaction.client.dialect === 'postgresql') {
      await transaction.raw('DROP FUNCTION note_grant_status()');
      await transaction.raw('DROP FUNCTION note_block_status()');
      await transaction.raw('DROP FUNCTION tell_status_change()');
    }
  },
};

// As src/status-lists/entries.ts has it; a released migration stays what it is, so it is written out here.
const LIST_ENTRIES = 1_048_576;

/** Grants that are there get the entries 0, 1, … of the lists for grants, which have the even numbers. */
async function giveEntries(transaction: Knex.Transaction): Promise<void> {
  await transaction.raw(
    `UPDATE grants SET status_entry = numbered.place + numbered.place / ${LIST_ENTRIES} * ${LIST_ENTRIES}
     FROM (SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM grants WHERE revoked_at IS NULL) AS numbered
     WHERE numbered.id = grants.id`,
  );
  await transaction.raw(
    `INSERT INTO status_counters (name, next) SELECT 'grants', count(status_entry) FROM grants UNION ALL SELECT 'clients', 0`,
  );
}

// A deleted grant that expired more than a day ago has no living token: that is cleaning up, and need not be noted.
const DAY_SECONDS = 86_400;

const SQLITE_TRIGGERS = [
  `CREATE TRIGGER grants_status_revoked AFTER UPDATE OF revoked_at ON grants
   WHEN OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL AND OLD.status_entry IS NOT NULL
   BEGIN INSERT INTO status_changes (first, count, changed_at) VALUES (OLD.status_entry, 1, NEW.revoked_at); END`,
  `CREATE TRIGGER grants_status_renewed AFTER UPDATE OF status_entry ON grants
   WHEN OLD.status_entry IS NOT NULL AND OLD.status_entry IS NOT NEW.status_entry
   BEGIN INSERT INTO status_changes (first, count, changed_at) VALUES (OLD.status_entry, 1, unixepoch()); END`,
  `CREATE TRIGGER grants_status_deleted AFTER DELETE ON grants
   WHEN OLD.revoked_at IS NULL AND OLD.status_entry IS NOT NULL AND OLD.expires_at > unixepoch() - ${DAY_SECONDS}
   BEGIN INSERT INTO status_changes (first, count, changed_at) VALUES (OLD.status_entry, 1, unixepoch()); END`,
  `CREATE TRIGGER blocks_status_deleted AFTER DELETE ON status_blocks WHEN OLD.expires_at > unixepoch()
   BEGIN INSERT INTO status_changes (first, count, changed_at) VALUES (OLD.first, OLD.count, unixepoch()); END`,
];

const POSTGRES_TRIGGERS = [
  `CREATE FUNCTION note_grant_status() RETURNS trigger LANGUAGE plpgsql AS $$
   DECLARE noted bigint := extract(epoch FROM clock_timestamp())::bigint;
   BEGIN
     IF TG_OP = 'UPDATE' AND OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL THEN
       noted := NEW.revoked_at;
     END IF;
     INSERT INTO status_changes (first, count, changed_at) VALUES (OLD.status_entry, 1, noted);
     RETURN NULL;
   END $$`,
  `CREATE FUNCTION note_block_status() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     INSERT INTO status_changes (first, count, changed_at) VALUES (OLD.first, OLD.count, extract(epoch FROM clock_timestamp())::bigint);
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER grants_status_updated AFTER UPDATE OF revoked_at, status_entry ON grants FOR EACH ROW
   WHEN (OLD.status_entry IS NOT NULL
     AND (OLD.revoked_at IS NULL AND NEW.revoked_at IS NOT NULL OR OLD.status_entry IS DISTINCT FROM NEW.status_entry))
   EXECUTE FUNCTION note_grant_status()`,
  `CREATE TRIGGER grants_status_deleted AFTER DELETE ON grants FOR EACH ROW
   WHEN (OLD.revoked_at IS NULL AND OLD.status_entry IS NOT NULL AND OLD.expires_at > extract(epoch FROM clock_timestamp()) - ${DAY_SECONDS})
   EXECUTE FUNCTION note_grant_status()`,
  `CREATE TRIGGER blocks_status_deleted AFTER DELETE ON status_blocks FOR EACH ROW
   WHEN (OLD.expires_at > extract(epoch FROM clock_timestamp())) EXECUTE FUNCTION note_block_status()`,
  // The channel that nodes listen to (0009-change-notices.ts), so that all of them have it at once.
  `CREATE FUNCTION tell_status_change() RETURNS trigger LANGUAGE plpgsql AS $$
   BEGIN
     PERFORM pg_notify('keyturn_changes', TG_TABLE_NAME);
     RETURN NULL;
   END $$`,
  `CREATE TRIGGER status_changes_tell AFTER INSERT ON status_changes FOR EACH STATEMENT EXECUTE FUNCTION tell_status_change()`,
];
