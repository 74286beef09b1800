import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { DatabaseLocation } from '../../../src/config/config.ts';

/** A node of its own: another process on the same database. It says `ready`, works when told `go`, and says what came out. */
export interface NodeProcess {
  /** The next line it writes. @throws Error when it ended without one. */
  line(): Promise<string>;
  go(): void;
  /** `kill -9`. Resolves when it is gone. */
  kill(): Promise<void>;
}

export function startNode(script: `./${string}.ts`, location: DatabaseLocation, ...rest: readonly string[]): NodeProcess {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child: ChildProcess = spawn(process.execPath, ['--import=tsx', path, JSON.stringify(location), ...rest], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) {
    throw new Error('A process with pipes has them.');
  }
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const exit = once(child, 'exit');
  return {
    async line() {
      const { value, done } = await lines.next();
      if (done === true) {
        throw new Error(`${script} ended early.`);
      }
      return value;
    },
    go: () => void stdin.write('go\n'),
    async kill() {
      child.kill('SIGKILL');
      await exit;
    },
  };
}
