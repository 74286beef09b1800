import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { DatabaseLocation } from '../src/config/config.ts';

/** The built server in a process of its own. */
export interface ServerUnderTest {
  readonly issuer: string;
  /** Milliseconds from the start of the process to its `listening` line. */
  readonly listeningAfter: number;
  /** Microseconds of CPU the process has used. */
  cpu(): Promise<number>;
  /** Resident memory in MiB. */
  memory(): Promise<number>;
  stop(): Promise<void>;
}

const TICKS_PER_SECOND = 100;

/** @param settings beyond those of a load: requests are not counted unless they say so. */
export async function startServerUnderTest(
  folder: string,
  database: DatabaseLocation,
  settings: Readonly<Record<string, string>> = {},
): Promise<ServerUnderTest> {
  const url = database.kind === 'sqlite' ? `sqlite:${database.path}` : database.url;
  const environment = {
    PATH: process.env['PATH'],
    PORT: '0',
    DATABASE_URL: url,
    KEYS_DIR: join(folder, 'keys'),
    LOG_LEVEL: 'info',
    RATE_LIMITS: 'off',
    ...settings,
  };
  const startedAt = performance.now();
  const child = spawn(process.execPath, [join(import.meta.dirname, '../bin/keyturn.mjs'), 'serve'], {
    cwd: folder,
    env: environment,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const issuer = await listening(child);
  const listeningAfter = performance.now() - startedAt;
  return {
    issuer,
    listeningAfter,
    async cpu() {
      // proc(5): fields 14 and 15 are user and system time in clock ticks; the name in field 2 may contain spaces.
      const fields = (await readFile(`/proc/${child.pid}/stat`, 'utf8')).split(') ')[1]?.split(' ') ?? [];
      return ((Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND) * 1e6;
    },
    async memory() {
      const [, kibibytes = '0'] = /VmRSS:\s+(\d+)/.exec(await readFile(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      return Number(kibibytes) / 1024;
    },
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** The issuer, once the server says that it listens; the rest of its log is read and dropped. */
function listening(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    if (child.stdout === null) {
      return reject(new Error('the server has no output'));
    }
    child.once('exit', (code) => reject(new Error(`the server ended with ${code} before it listened`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes('"msg":"listening"')) {
        resolve((JSON.parse(line) as { issuer: string }).issuer);
      }
    });
  });
}
