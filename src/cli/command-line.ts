import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';

/** What a command has around it: the process's own, or a test's. */
export interface CommandLine {
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean };
  stdout(text: string): void;
  stderr(text: string): void;
  /** Called by a command that needs the settings, so that `--help` works with broken ones. @throws ConfigurationError */
  loadConfig(): Config;
  readonly clock: Clock;
}
