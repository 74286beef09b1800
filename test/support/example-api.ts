import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** One of the programs of `examples` that serve, in a process of its own. */
export interface ExampleApi {
  readonly url: string;
  /** What it wrote to standard error: what could not be fetched. */
  readonly problems: readonly string[];
  stop(): Promise<void>;
}

/** @param settings the environment variables that `settings.mjs` reads. */
export function startExampleApi(framework: string, settings: Readonly<Record<string, string>>): Promise<ExampleApi> {
  return startExample(`resource-server/${framework}.mjs`, settings);
}

/** @param program path within `examples`; it says `listening on PORT` when it serves. */
export async function startExample(program: string, settings: Readonly<Record<string, string>>): Promise<ExampleApi> {
  const file = join(import.meta.dirname, '..', '..', 'examples', program);
  const child = spawn(process.execPath, [file], {
    env: { PATH: process.env['PATH'], PORT: '0', ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const problems: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => problems.push(line));
  const port = await portOf(child, problems);
  return {
    url: `http://127.0.0.1:${port}`,
    problems,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        const exit = once(child, 'exit');
        child.kill('SIGKILL');
        await exit;
      }
    },
  };
}

function portOf(child: ChildProcess, problems: readonly string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    child.once('exit', () => reject(new Error(`The example ended before it served: ${problems.join('\n')}`)));
    if (child.stdout === null) {
      return reject(new Error('The example has no output.'));
    }
    createInterface({ input: child.stdout }).on('line', (line) => {
      const [, port] = /^listening on (\d+)$/.exec(line) ?? [];
      if (port !== undefined) {
        resolve(port);
      }
    });
  });
}
