import { join } from 'node:path';
import { run } from '../../../src/cli/program.ts';
import type { Config } from '../../../src/config/config.ts';
import { ConfigurationError } from '../../../src/config/load-config.ts';
import { readConfig } from '../../../src/config/read-config.ts';
import { migrateUp } from '../../../src/storage/migrate.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import { type Repositories, repositoriesIn } from '../../../src/storage/repositories.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export const START = 1_800_000_000;

/** What one command came to. */
export interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
  /** The document on standard output. @throws SyntaxError when there is anything else */
  json<Document>(): Document;
}

/** An operator at a server's folder: commands run in this process, against a real database and real key files. */
export interface Operator {
  readonly folder: string;
  readonly config: Config;
  readonly clock: { now(): number; time: number };
  /** Runs `keyturn …argv` with this on its standard input. */
  keyturn(argv: readonly string[], input?: string | Uint8Array): Promise<Outcome>;
  /** The same database, past the command line. */
  withRecords<T>(work: (repositories: Repositories) => Promise<T>): Promise<T>;
}

/** @param hasDatabase false: nothing has been there before. */
export async function newOperator(settings: Readonly<Record<string, string>> = {}, hasDatabase = true): Promise<Operator> {
  const folder = await temporaryFolder();
  const defaults = { DATABASE_URL: `sqlite:${join(folder, 'data', 'keyturn.sqlite')}`, KEYS_DIR: join(folder, 'keys') };
  const reading = readConfig({ ...defaults, ...settings }, undefined);
  const clock = { time: START, now: () => clock.time };

  function loadConfig(): Config {
    if ('problems' in reading) {
      throw new ConfigurationError(reading.problems);
    }
    return reading.config;
  }

  async function withRecords<T>(work: (repositories: Repositories) => Promise<T>): Promise<T> {
    const database = await openDatabase(loadConfig().database);
    try {
      await migrateUp(database);
      return await work(repositoriesIn(database));
    } finally {
      await database.close();
    }
  }

  if (hasDatabase && !('problems' in reading) && settings['DATABASE_URL'] === undefined) {
    await withRecords(async () => undefined);
  }
  return {
    folder,
    get config() {
      return loadConfig();
    },
    clock,
    async keyturn(argv, input = '') {
      let stdout = '';
      let stderr = '';
      const status = await run(argv, {
        stdin: chunksOf(input),
        stdout: (text) => {
          stdout += text;
        },
        stderr: (text) => {
          stderr += text;
        },
        loadConfig,
        clock,
      });
      return { status, stdout, stderr, json: <Document>() => JSON.parse(stdout) as Document };
    },
    withRecords,
  };
}

/** A byte at a time would be slow, and all at once would hide a reader that takes the first chunk for all. */
async function* chunksOf(input: string | Uint8Array): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(input);
  for (let at = 0; at < bytes.length; at += 4096) {
    yield bytes.subarray(at, at + 4096);
  }
}
