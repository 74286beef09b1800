import { Worker } from 'node:worker_threads';
import type * as Argon2 from '@node-rs/argon2';

/** What a thread is asked to do: `hashSync` or `verifySync` of @node-rs/argon2, or to read what a hash was made with. */
type Task =
  | { readonly kind: 'hash'; readonly password: string; readonly options: Argon2.Options }
  | { readonly kind: 'verify'; readonly passwordHash: string; readonly password: string };

type Answer =
  | { readonly kind: 'hashed'; readonly passwordHash: string }
  | { readonly kind: 'verified'; readonly matches: boolean; readonly used: ReturnType<typeof Argon2.parseOptions> }
  | { readonly kind: 'failed'; readonly message: string };

/**
 * argon2id in threads of a low priority: passwords are hashed with what the rest of the server leaves of the processor, so that a storm of
 * logins makes logins slow and not tokens. (On Linux a priority is a thread's own. Elsewhere it would be the whole process's and stays as it is.)
 * A thread starts with the first password and ends when there was none for a while.
 */
export async function hashInThread(password: string, options: Argon2.Options): Promise<string> {
  const answer = await inThread({ kind: 'hash', password, options });
  return answer.kind === 'hashed' ? answer.passwordHash : unexpected(answer);
}

/** @returns whether it matches, and what the hash was made with. @throws Error when it is none of argon2. */
export async function verifyInThread(
  passwordHash: string,
  password: string,
): Promise<{ readonly matches: boolean; readonly used: ReturnType<typeof Argon2.parseOptions> }> {
  const answer = await inThread({ kind: 'verify', passwordHash, password });
  return answer.kind === 'verified' ? answer : unexpected(answer);
}

const LINGER_MILLISECONDS = 5000;

interface IdleThread {
  readonly worker: Worker;
  readonly end: NodeJS.Timeout;
  /** Listens for its end. */
  readonly gone: () => void;
}

// Of the process: how many there are at once is decided by the queues before them.
const idle: IdleThread[] = [];

function inThread(task: Task): Promise<Answer> {
  const worker = freeThread();
  worker.ref();
  return new Promise((resolve, reject) => {
    const settle = () => {
      worker.off('message', onAnswer).off('error', onEnd).off('exit', onEnd);
    };
    const onAnswer = (answer: Answer) => {
      settle();
      release(worker);
      resolve(answer);
    };
    const onEnd = (cause: unknown) => {
      settle();
      reject(new Error('The thread that hashes passwords ended.', { cause }));
    };
    worker.on('message', onAnswer).on('error', onEnd).on('exit', onEnd);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin.
    worker.postMessage(task);
  });
}

function freeThread(): Worker {
  const last = idle.pop();
  if (last === undefined) {
    return new Worker(THREAD, { eval: true, workerData: import.meta.url, execArgv: [] });
  }
  clearTimeout(last.end);
  return last.worker.off('error', last.gone).off('exit', last.gone);
}

/** Nobody waits for it now: it keeps no process from ending. One that ends by itself meanwhile is not given another task, which it would never do. */
function release(worker: Worker): void {
  worker.unref();
  const gone = () => forget(thread);
  const thread = {
    worker,
    end: setTimeout(() => {
      forget(thread);
      void worker.terminate();
    }, LINGER_MILLISECONDS).unref(),
    gone,
  };
  // An error that nobody listened to would end the process.
  worker.on('error', gone).on('exit', gone);
  idle.push(thread);
}

function forget(thread: IdleThread): void {
  const at = idle.indexOf(thread);
  if (at >= 0) {
    idle.splice(at, 1);
    clearTimeout(thread.end);
  }
}

function unexpected(answer: Answer): never {
  throw new Error(answer.kind === 'failed' ? answer.message : `The thread that hashes passwords answered ${answer.kind}.`);
}

// sched(7): such a thread gets about a thirtieth of a core that another one wants whole, so that logins go on under any load.
const NICENESS = 15;

// A text and no file of its own: the sources, the build and the bundle would each have it somewhere else. 0 is the calling thread (setpriority(2)).
const THREAD = `
const { parentPort, workerData } = require('node:worker_threads');
const { hashSync, parseOptions, verifySync } = require('node:module').createRequire(workerData)('@node-rs/argon2');
if (process.platform === 'linux') {
  try { require('node:os').setPriority(0, ${NICENESS}); } catch {}
}
parentPort.on('message', (task) => {
  try {
    parentPort.postMessage(
      task.kind === 'hash'
        ? { kind: 'hashed', passwordHash: hashSync(task.password, task.options) }
        : { kind: 'verified', matches: verifySync(task.passwordHash, task.password), used: parseOptions(task.passwordHash) },
    );
  } catch (error) {
    parentPort.postMessage({ kind: 'failed', message: String(error?.message ?? error) });
  }
});
`;
