import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { LoadJob, LoadResult } from './load.ts';

/** The process that makes the load: one for the whole run, so that it is as warm for the first target as for the last. */
export interface Generator {
  readonly pid: number;
  /** @throws Error when an answer was not the one wanted. */
  run(job: LoadJob): Promise<LoadResult>;
  stop(): void;
}

export function startGenerator(): Generator {
  const child = fork(join(import.meta.dirname, 'load.ts'), { execArgv: ['--import=tsx'] });
  return {
    pid: child.pid ?? 0,
    async run(job) {
      child.send(job);
      const [answer] = (await once(child, 'message')) as [LoadResult | { readonly failure: string }];
      if ('failure' in answer) {
        throw new Error(answer.failure);
      }
      return answer;
    },
    stop: () => void child.kill(),
  };
}
