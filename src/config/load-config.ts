import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config } from './config.ts';
import { type Environment, readConfig } from './read-config.ts';

/** The settings are not fit to start with. The message has a line for each problem, and nothing secret. */
export class ConfigurationError extends Error {
  constructor(problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options);
    this.name = 'ConfigurationError';
  }
}

/**
 * The configuration of this process: its environment, then the `.env` file of the folder, if there is one. The only reader of `process.env`.
 * @throws ConfigurationError with all problems at once.
 */
export function loadConfig(folder: string = process.cwd(), environment: Environment = process.env): Config {
  const reading = readConfig(environment, readIfPresent(join(folder, '.env')));
  if ('problems' in reading) {
    throw new ConfigurationError(reading.problems);
  }
  return reading.config;
}

function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    if (code === 'ENOENT') {
      return undefined;
    }
    throw new ConfigurationError([`.env is there and cannot be read (${code})`], { cause: error });
  }
}
