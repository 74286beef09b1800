import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import { readTlsFiles, type TlsFiles } from './config/tls-files.ts';
import type { AuditTrail } from './core/audit.ts';
import type { Clock } from './core/clock.ts';
import { freePort } from './free-port.ts';
import { readKeyDirectory } from './keys/key-directory.ts';
import { KeyDirectoryError } from './keys/key-directory-error.ts';
import type { KeyRing } from './keys/key-ring.ts';
import { keySettings } from './keys/key-settings.ts';
import { openKeyRing } from './keys/open-key-ring.ts';
import type { Database } from './storage/database.ts';
import { migrateUp } from './storage/migrate.ts';
import { openDatabase } from './storage/open-database.ts';
import { type Repositories, repositoriesIn } from './storage/repositories.ts';

/** What a server is made of that is not its configuration. */
export interface Surroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly audit: AuditTrail;
  /** Called with the open database before the server answers anyone: development puts a demo client there. */
  readonly prepare?: (repositories: Repositories, issuer: string) => Promise<void>;
}

/** What a server needs before it can answer: its place, its database with the schema of today, its keys. */
export interface PreparedServer {
  readonly port: number;
  readonly tls: TlsFiles;
  readonly scheme: 'http' | 'https';
  readonly issuer: string;
  readonly database: Database;
  readonly repositories: Repositories;
  readonly keys: KeyRing;
}

/**
 * Opens and checks everything, and makes what is not there yet. Close the database when done with it.
 * @throws DatabaseOpenError, KeyDirectoryError with one clear line; the system's error when no port can be had.
 */
export async function prepareServer(config: Config, { logger, clock, audit, prepare }: Surroundings): Promise<PreparedServer> {
  const port = config.port === 0 ? await freePort(config.host) : config.port;
  const tls = readTlsFiles(config);
  const scheme = tls.identity === undefined ? 'http' : 'https';
  const issuer = config.issuer ?? `${scheme}://localhost:${port}`;
  const database = await openDatabase(config.database, config);
  try {
    const applied = await migrateUp(database);
    if (applied.length > 0) {
      logger.info({ migrations: applied }, 'migrated');
    }
    const repositories = repositoriesIn(database);
    await refuseLostSecrets(config.keysDirectory, repositories);
    const keys = await openKeyRing({
      directory: config.keysDirectory,
      settings: keySettings(config),
      clock,
      audit,
      onProblem: (err) => logger.error({ err }, 'trouble with the key directory; going on with the keys in memory'),
    });
    await prepare?.(repositories, issuer);
    return { port, tls, scheme, issuer, database, repositories, keys };
  } catch (error) {
    await database.close();
    throw error;
  }
}

/** A directory that was lost must not be papered over with a new secret: every refresh token in the field would be void, quietly. */
async function refuseLostSecrets(directory: string, { grants }: Repositories): Promise<void> {
  const { hasServerSecret } = await readKeyDirectory(directory);
  if (!hasServerSecret && (await grants.list({}, { limit: 1 })).length > 0) {
    throw new KeyDirectoryError(
      directory,
      'has no server secret (HS256.*.json), but the database has grants made with one. Restore the directory, or start anew with `keyturn key rotate --alg HS256`, which ends them all',
    );
  }
}
