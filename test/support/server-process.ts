import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { DatabaseLocation } from '../../src/config/config.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** One line of a server's log. */
export type LogLine = Readonly<Record<string, unknown>>;

/** How a process ended. */
export interface Exit {
  /** null: by a signal. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** What it wrote to standard error in all its life. */
  readonly stderr: string;
  readonly log: readonly LogLine[];
}

/** The built server in a process of its own, that says it serves. */
export interface ServerProcess {
  /** `http://127.0.0.1:PORT`. */
  readonly url: string;
  readonly issuer: string;
  readonly port: number;
  readonly pid: number;
  /** Its log up to now. */
  readonly log: readonly LogLine[];
  readonly exit: Promise<Exit>;
  signal(signal: NodeJS.Signals): void;
  /** `kill -9`. Resolves when it is gone. */
  kill(): Promise<void>;
  /** SIGTERM. Resolves when it is gone. */
  stop(): Promise<Exit>;
}

/** What a server is started with: `.env.example` lists the variables. Of the test run's own environment it gets nothing but PATH. */
export type ProcessSettings = Readonly<Record<string, string>>;

/**
 * Starts `keyturn serve` and waits for its line `listening`. It ends with the test run, also when that is killed.
 * @throws Error with what it wrote, when it ends before it serves.
 */
export async function startServerProcess(settings: ProcessSettings): Promise<ServerProcess> {
  const { child, log, exit } = await launch(settings);
  const listening = new Promise<LogLine>((resolve) => {
    onLine(child, (line) => line['msg'] === 'listening' && resolve(line));
  });
  const early = exit.then(({ code, signal, stderr }): LogLine => {
    throw new Error(`The server ended (${code ?? signal}) before it served: ${stderr}`);
  });
  const first = await Promise.race([listening, early]);
  // Later ends are told by `exit`.
  early.catch(() => undefined);
  const url = String(first['url']);
  return {
    url,
    issuer: String(first['issuer']),
    port: Number(new URL(url).port),
    pid: child.pid ?? Number.NaN,
    log,
    exit,
    signal: (signal) => void child.kill(signal),
    async kill() {
      child.kill('SIGKILL');
      await exit;
    },
    stop() {
      child.kill('SIGTERM');
      return exit;
    },
  };
}

/** Starts `keyturn serve` where it must refuse to, and waits for its end. One that serves after all, or does not end in 15 s, is killed. */
export async function refusedStart(settings: ProcessSettings): Promise<Exit> {
  const { child, exit } = await launch(settings);
  onLine(child, (line) => line['msg'] === 'listening' && child.kill('SIGKILL'));
  const deadline = setTimeout(() => child.kill('SIGKILL'), 15_000);
  return exit.finally(() => clearTimeout(deadline));
}

/** The setting for a database. */
export function databaseUrl(location: DatabaseLocation): string {
  return location.kind === 'sqlite' ? `sqlite:${location.path}` : location.url;
}

/** A port that nobody listens on at this moment, so that a server can come back to it. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') {
    throw new Error('A listening TCP server has a port.');
  }
  return address.port;
}

const ROOT = join(import.meta.dirname, '..', '..');

// The pipe to its standard input ends when the test run does.
const DIE_WITH_PARENT = 'process.stdin.on("end",()=>process.kill(process.pid,"SIGKILL")).resume().unref()';

interface Launched {
  readonly child: ChildProcess;
  readonly log: readonly LogLine[];
  readonly exit: Promise<Exit>;
}

async function launch(settings: ProcessSettings): Promise<Launched> {
  built ??= promisify(execFile)(process.execPath, [join(ROOT, 'scripts', 'build.mjs'), '--if-needed']);
  await built;
  const child = spawn(process.execPath, [`--import=data:text/javascript,${DIE_WITH_PARENT}`, join(ROOT, 'bin', 'keyturn.mjs'), 'serve'], {
    // Where there is no .env. In production, so that no demo client is made.
    cwd: await temporaryFolder(),
    env: { PATH: process.env['PATH'], NODE_ENV: 'production', ISSUER: 'https://id.example', ...settings },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const log: LogLine[] = [];
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  onLine(child, (line) => log.push(line));
  const exit = new Promise<Exit>((resolve) => {
    // Not `exit`: there may be output still to read.
    child.once('close', (code, signal) => resolve({ code, signal, stderr, log }));
  });
  return { child, log, exit };
}

let built: Promise<unknown> | undefined;

function onLine({ stdout }: ChildProcess, listener: (line: LogLine) => void): void {
  if (stdout === null) {
    throw new Error('A process with pipes has them.');
  }
  let torn: string | undefined;
  createInterface({ input: stdout }).on('line', (text) => {
    if (torn !== undefined) {
      throw new Error(`A line of the log is not JSON: ${torn}`);
    }
    const line = parsed(text);
    if (line === undefined) {
      // A kill -9 may tear the last line in two. No other.
      torn = text;
    } else {
      listener(line);
    }
  });
}

function parsed(text: string): LogLine | undefined {
  try {
    const line: unknown = JSON.parse(text);
    return typeof line === 'object' && line !== null ? { ...line } : {};
  } catch {
    return undefined;
  }
}
