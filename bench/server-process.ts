import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A server under test, in a process of its own. */
export interface ServerProcess {
  readonly pid: number;
  readonly issuer: string;
  /** Where it listens, which need not be where its issuer says. */
  readonly port: number;
  /** `performance.now()` when it was spawned. */
  readonly spawnedAt: number;
  /** Milliseconds from then to its `listening` line. */
  readonly startMilliseconds: number;
  /** Writes a line to it and resolves with the next line it writes. */
  ask(line: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts one. Resolves when it has said `{"msg":"listening","issuer":…}`. */
export async function startServerProcess(
  command: readonly string[],
  { folder, environment }: { readonly folder: string; readonly environment: Readonly<Record<string, string>> },
): Promise<ServerProcess> {
  const spawnedAt = performance.now();
  const child = spawn(process.execPath, command, {
    cwd: folder,
    env: { PATH: process.env['PATH'], ...environment },
    stdio: ['pipe', 'pipe', process.env['BENCH_VERBOSE'] === undefined ? 'ignore' : 'inherit'],
  });
  let onLine: ((line: string) => void) | undefined;
  createInterface({ input: child.stdout }).on('line', (line) => onLine?.(line));
  const nextLine = (): Promise<string> =>
    new Promise((resolve) => {
      onLine = resolve;
    });
  const { issuer, url = issuer } = await new Promise<{ issuer: string; url?: string }>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`${command.join(' ')} ended with ${code} before it listened`)));
    onLine = (line) => {
      if (line.includes('"msg":"listening"')) {
        resolve(JSON.parse(line) as { issuer: string; url?: string });
      }
    };
  });
  onLine = undefined;
  return {
    pid: child.pid ?? 0,
    issuer,
    port: Number(new URL(url).port),
    spawnedAt,
    startMilliseconds: performance.now() - spawnedAt,
    ask(line) {
      const answer = nextLine();
      child.stdin.write(`${line}\n`);
      return answer;
    },
    async stop() {
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      await gone;
    },
  };
}
