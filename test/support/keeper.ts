import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Socket } from 'node:net';

/** A shell in a session of its own that outlives this process for a moment, and tidies up after it, however it died. */
export interface Keeper {
  /** Which PostgreSQL server (of the folder's `data`) to end first. */
  watch(pid: number | undefined): void;
  /** Removes the folder now. */
  finish(): Promise<void>;
}

/** Sees to it that `directory` is gone when this process is. */
export function startKeeper(directory: string): Keeper {
  const shell = spawn('/bin/sh', ['-c', KEEPER_SCRIPT, 'sh', directory], { cwd: '/', detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
  const exit = once(shell, 'exit');
  shell.unref();
  const input = shell.stdin;
  input.on('error', () => {
    // The keeper was killed: the folder stays behind, which is no reason for a test to fail.
  });
  // A pipe to a child is a socket, and keeps this process alive like one.
  if (input instanceof Socket) {
    input.unref();
  }
  return {
    watch: (pid) => void input.write(`${pid ?? ''}\n`),
    async finish() {
      shell.ref();
      input.end();
      await exit;
    },
  };
}

// Reads the process id of the present server from standard input. The end of the input is the end of the test run, also by `kill -9`.
// The server's own pid file says whether it is gone: an orphan's process id stays in use where process 1 does not reap.
const KEEPER_SCRIPT = `
while read -r line; do pid=$line; done
if [ -n "$pid" ]; then
  kill -QUIT "$pid"
  for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    if kill -0 "$pid" && [ -e "$1/data/postmaster.pid" ]; then sleep 0.1; else gone=yes; break; fi
  done
  [ -n "$gone" ] || kill -KILL "$pid"
fi
rm -rf "$1"
`;
