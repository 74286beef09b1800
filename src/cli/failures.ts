import { CommanderError } from 'commander';
import { ConfigurationError } from '../config/load-config.ts';
import { OAuthError, StorageUnavailable } from '../core/errors.ts';
import { KeyDirectoryError } from '../keys/key-directory-error.ts';
import { DatabaseOpenError } from '../storage/database-open-error.ts';

/** The command cannot be carried out; the message says why and what to do, one sentence. Exit status 1. */
export class Refused extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Refused';
  }
}

/** The command line itself is wrong: what was given cannot be meant. Exit status 2. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

/** How a command ended that did not do its work. */
export interface Failure {
  /** 1: refused, or an outage; 2: the command line, a setting, the database's or the keys' place is wrong. */
  readonly status: 1 | 2;
  /** A word for programs: an error code of the protocol, or one of this table's own. */
  readonly error: string;
  /** For the operator; a line for each problem. */
  readonly description: string;
}

/** What an error means to whoever gave the command; undefined for the end of `--help` and `--version`, which are no failures. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof CommanderError) {
    return error.exitCode === 0 ? undefined : { status: 2, error: 'usage', description: usageProblem(error) };
  }
  if (!(error instanceof Error)) {
    return { status: 1, error: 'internal', description: String(error) };
  }
  if (error instanceof OAuthError) {
    return { status: 1, error: error.code, description: error.message };
  }
  const known = KNOWN.find(({ matches }) => matches(error));
  // An unknown one is a bug or a broken machine: whoever looks into it needs to know where.
  return known === undefined
    ? { status: 1, error: 'internal', description: error.stack ?? error.message }
    : { status: known.status, error: known.error, description: (known.describe ?? messageOf)(error) };
}

const KNOWN: readonly {
  readonly matches: (error: Error) => boolean;
  readonly status: Failure['status'];
  readonly error: string;
  readonly describe?: (error: Error) => string;
}[] = [
  { matches: (error) => error instanceof UsageError, status: 2, error: 'usage', describe: ({ message }) => withHint(message) },
  { matches: (error) => error instanceof ConfigurationError, status: 2, error: 'configuration' },
  { matches: (error) => error instanceof DatabaseOpenError, status: 2, error: 'database' },
  { matches: (error) => error instanceof KeyDirectoryError, status: 2, error: 'keys' },
  { matches: cannotListen, status: 2, error: 'listen', describe: listenProblem },
  { matches: (error) => error instanceof Refused, status: 1, error: 'refused' },
  // By name: their modules load argon2, JOSE and ajv, which a command that got here without them should not have to wait for.
  {
    matches: ({ name }) => ['KeyCommandRefused', 'UnacceptablePassword', 'UnacceptableDetailType'].includes(name),
    status: 1,
    error: 'refused',
  },
  { matches: (error) => error instanceof StorageUnavailable, status: 1, error: 'unavailable' },
];

function messageOf({ message }: Error): string {
  return message;
}

function usageProblem({ code, message }: CommanderError): string {
  return withHint(code === 'commander.help' ? 'a command is missing' : message.replace(/^error: /, '').replaceAll('\n', ' '));
}

function withHint(problem: string): string {
  return `${problem.replace(/[.]$/, '')}. Add --help to see what there is.`;
}

function cannotListen(error: Error): boolean {
  return 'syscall' in error && (error.syscall === 'listen' || error.syscall === 'bind' || error.syscall === 'getaddrinfo');
}

function listenProblem(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  const reason = { EADDRINUSE: 'something else listens there', EACCES: 'this account may not' }[code] ?? error.message;
  const place = 'address' in error && 'port' in error ? `${String(error.address)} port ${String(error.port)}` : 'HOST and PORT';
  return `cannot listen on ${place}: ${reason}. Change HOST or PORT.`;
}
