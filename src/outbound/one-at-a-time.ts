/** Does something for a name, and may be told that nobody waits for it any more. */
export type Turn<T> = (name: string, signal: AbortSignal) => Promise<T>;

/**
 * The same work, one name after the other; whatever nobody waits for when its turn comes is not begun.
 *
 * Node.js has the system look names up two at a time in a process (half of the threads of libuv, which no promise that gave up sets free), and
 * a name whose name servers never answer keeps its place for ten seconds and more. So names that strangers bring take one of the two places,
 * and no more: two of them would keep the keys of every client, logout tokens and events from being looked for, for as long as they go on.
 */
export function oneAtATime<T>(work: (name: string) => Promise<T>): Turn<T> {
  let last: Promise<unknown> = Promise.resolve();

  return (name, signal) => {
    const turn = last.then(() => (signal.aborted ? Promise.reject(new Error('there was no turn in time')) : work(name)));
    last = turn.catch(() => undefined);
    return turn;
  };
}
