import { StorageUnavailable } from '../core/errors.ts';

/** Writes of concurrent requests that travel together. */
export interface WriteCoalescer<Operation, Result> {
  /**
   * Resolves with the operation's own result once the batch it travelled in is done.
   * @throws StorageUnavailable without trying, when the queue is full or closed, or the operation waited too long in it.
   * @throws whatever `run` threw for it.
   */
  submit(operation: Operation): Promise<Result>;
  /** Refuses further operations; resolves when those accepted are done. */
  close(): Promise<void>;
}

export interface CoalescerOptions<Operation, Result> {
  /** What an operation is about. Operations with one key are never in one batch, and run in the order they were submitted. */
  key(operation: Operation): string;
  /** Does a batch, all or nothing. @returns a result for each operation, in their order. */
  run(batch: readonly Operation[]): Promise<readonly Result[]>;
  readonly largestBatch: number;
  /** More than this many waiting, and the next is refused at once. */
  readonly longestQueue: number;
  /** An operation that waited longer than this is refused untried: whoever asked has most likely gone. */
  readonly longestWaitMilliseconds: number;
  /** Milliseconds of a clock that is never set. */
  now?(): number;
}

/**
 * Group commit: while one batch is under way the next operations gather, so that one flush to disk serves all who came meanwhile. An
 * operation that comes alone starts in the same turn of the event loop, and pays for itself only.
 *
 * When a batch fails, its operations are done one by one, so that one which the database refuses takes no other down with it. An outage
 * (StorageUnavailable) is not tried again: the outcome may be unknown.
 */
export function coalesceWrites<Operation, Result>(options: CoalescerOptions<Operation, Result>): WriteCoalescer<Operation, Result> {
  const { largestBatch, longestQueue, longestWaitMilliseconds } = options;
  const now = options.now ?? (() => performance.now());
  // By key, in the order in which their turn comes.
  const waiting = new Map<string, Waiting<Operation, Result>[]>();
  let length = 0;
  let closed = false;
  let working: Promise<void> | undefined;

  async function work(): Promise<void> {
    while (waiting.size > 0) {
      // What arrives in this turn of the event loop still gets on.
      await new Promise(setImmediate);
      await settle(take(), options.run);
    }
    working = undefined;
  }

  function take(): Waiting<Operation, Result>[] {
    const batch: Waiting<Operation, Result>[] = [];
    const later: [string, Waiting<Operation, Result>[]][] = [];
    const oldest = now() - longestWaitMilliseconds;
    for (const [key, queue] of waiting) {
      const next = firstInTime(queue, oldest);
      waiting.delete(key);
      if (queue.length > 0) {
        later.push([key, queue]);
      }
      if (next !== undefined && batch.push(next) === largestBatch) {
        break;
      }
    }
    for (const [key, queue] of later) {
      waiting.set(key, queue);
    }
    return batch;
  }

  function firstInTime(queue: Waiting<Operation, Result>[], oldest: number): Waiting<Operation, Result> | undefined {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      length--;
      if (next.since >= oldest) {
        return next;
      }
      next.reject(new StorageUnavailable('The database is too slow: the write waited too long and was not tried.'));
    }
    return undefined;
  }

  return {
    submit(operation) {
      if (closed || length >= longestQueue) {
        return Promise.reject(
          new StorageUnavailable(closed ? 'The database is being closed.' : 'The database is too slow: too many writes wait.'),
        );
      }
      return new Promise((resolve, reject) => {
        const entry = { operation, since: now(), resolve, reject };
        const key = options.key(operation);
        const queue = waiting.get(key);
        if (queue === undefined) {
          waiting.set(key, [entry]);
        } else {
          queue.push(entry);
        }
        length++;
        working ??= work();
      });
    },
    async close() {
      closed = true;
      await working;
    },
  };
}

interface Waiting<Operation, Result> {
  readonly operation: Operation;
  readonly since: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

type Run<Operation, Result> = (batch: readonly Operation[]) => Promise<readonly Result[]>;

async function settle<Operation, Result>(batch: readonly Waiting<Operation, Result>[], run: Run<Operation, Result>): Promise<void> {
  if (batch.length === 0) {
    return;
  }
  let results: readonly Result[];
  try {
    results = await run(batch.map(({ operation }) => operation));
  } catch (error) {
    await settleFailed(batch, run, error);
    return;
  }
  for (const [index, entry] of batch.entries()) {
    const result = results[index];
    if (index < results.length) {
      entry.resolve(result as Result);
    } else {
      entry.reject(new Error('A batch gave fewer results than it had operations.'));
    }
  }
}

async function settleFailed<Operation, Result>(
  batch: readonly Waiting<Operation, Result>[],
  run: Run<Operation, Result>,
  error: unknown,
): Promise<void> {
  if (batch.length === 1 || error instanceof StorageUnavailable) {
    for (const { reject } of batch) {
      reject(error);
    }
    return;
  }
  for (const entry of batch) {
    await settle([entry], run);
  }
}
