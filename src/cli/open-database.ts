import { existsSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import type { Database } from '../storage/database.ts';
import type { Repositories } from '../storage/repositories.ts';
import type { CommandLine } from './command-line.ts';

/** Opens the configured database for one piece of work, as it is. @throws ConfigurationError, DatabaseOpenError */
export async function withDatabase<T>(cli: CommandLine, work: (database: Database, config: Config) => Promise<T>): Promise<T> {
  const config = cli.loadConfig();
  // Here and not at the top: the drivers take longer to load than most commands to run, and `--help` needs none.
  const { openDatabase } = await import('../storage/open-database.ts');
  const database = await openDatabase(config.database, config);
  try {
    return await work(database, config);
  } finally {
    await database.close();
  }
}

/** For commands that only make sense where there is something: a slip in DATABASE_URL must not make an empty database and call it the answer. */
export async function withExistingRepositories<T>(
  cli: CommandLine,
  work: (repositories: Repositories, config: Config) => Promise<T>,
): Promise<T> {
  const { database } = cli.loadConfig();
  if (database.kind === 'sqlite' && !existsSync(database.path)) {
    const { DatabaseOpenError } = await import('../storage/database-open-error.ts');
    throw new DatabaseOpenError(
      `There is no database at ${database.path}: check DATABASE_URL and the working directory, or start the server once.`,
    );
  }
  return withRepositories(cli, work);
}

/**
 * The same for work on records. Brings the schema up to date, as the server's start does: so a client can be made before the first start,
 * and with the same rules for who may use whose database.
 */
export async function withRepositories<T>(cli: CommandLine, work: (repositories: Repositories, config: Config) => Promise<T>): Promise<T> {
  return withDatabase(cli, async (database, config) => {
    const { migrateUp } = await import('../storage/migrate.ts');
    const { repositoriesIn } = await import('../storage/repositories.ts');
    await migrateUp(database);
    return work(repositoriesIn(database), config);
  });
}
