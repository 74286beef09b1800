import type { Command } from 'commander';
import { type Answer, type AnswerOptions, answer, verb } from './answer.ts';
import type { CommandLine } from './command-line.ts';
import { dateText, table } from './layout.ts';
import { withDatabase } from './open-database.ts';

/** `keyturn migrate …`: the schema of the database. The server's start brings it up to date by itself. */
export function migrateCommands(program: Command, cli: CommandLine): void {
  const migrate = program.command('migrate').description("bring the database's schema up to date, or back");

  verb(migrate, 'up', 'apply what is missing (the start of the server does so too)').action(async (options: AnswerOptions) =>
    answer(cli, options, await up(cli)),
  );

  verb(
    migrate,
    'down',
    'undo the newest migration AND DELETE the data that only it had room for; back up first, and stop the server',
  ).action(async (options: AnswerOptions) => answer(cli, options, await down(cli)));

  verb(migrate, 'status', 'list the migrations and since when each is applied').action(async (options: AnswerOptions) =>
    answer(cli, options, await status(cli)),
  );
}

async function up(cli: CommandLine): Promise<Answer> {
  const { migrateUp } = await import('../storage/migrate.ts');
  const applied = await withDatabase(cli, (database) => migrateUp(database));
  return { document: { applied }, text: applied.length === 0 ? 'Up to date.' : `Applied ${applied.join(', ')}.` };
}

async function down(cli: CommandLine): Promise<Answer> {
  const { migrateDown } = await import('../storage/migrate.ts');
  const undone = await withDatabase(cli, (database) => migrateDown(database));
  return { document: { undone: undone ?? null }, text: undone === undefined ? 'Nothing to undo.' : `Undid ${undone}.` };
}

async function status(cli: CommandLine): Promise<Answer> {
  const { migrationStatus } = await import('../storage/migrate.ts');
  const migrations = await withDatabase(cli, (database) => migrationStatus(database));
  return {
    document: migrations.map(({ name, appliedAt }) => ({ name, applied_at: appliedAt })),
    text: table(
      ['MIGRATION', 'APPLIED'],
      migrations.map(({ name, appliedAt }) => [name, dateText(appliedAt) ?? 'pending']),
    ),
  };
}
