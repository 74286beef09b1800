import { TemporarilyUnavailable } from '../core/errors.ts';

/** Runs work of which only so much may go on at once. */
export interface BoundedQueue {
  /**
   * Runs the work when its turn comes, first in, first out.
   * @throws TemporarilyUnavailable at once, without having run it, when too much is waiting already.
   */
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** A queue for expensive work: `concurrency` pieces at once, `waiting` more in line, and an honest refusal beyond. */
export function createBoundedQueue(limits: { readonly concurrency: number; readonly waiting: number }): BoundedQueue {
  const line: (() => void)[] = [];
  let running = 0;

  async function turn(): Promise<void> {
    if (running < limits.concurrency) {
      running += 1;
      return;
    }
    if (line.length >= limits.waiting) {
      throw new TemporarilyUnavailable('Too many logins at once. Try again in a moment.', 'the queue of password hashes is full', 2);
    }
    // Whoever ends hands the place on, so `running` stays as it is and no newcomer slips in between.
    await new Promise<void>((resolve) => line.push(resolve));
  }

  function leave(): void {
    const next = line.shift();
    if (next === undefined) {
      running -= 1;
    } else {
      next();
    }
  }

  return {
    async run(work) {
      await turn();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
