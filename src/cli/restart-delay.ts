/** @returns how long to wait until the next start, given how long the last one held; both in milliseconds. */
export type RestartDelay = (heldMilliseconds: number) => number;

const LONG = 10_000;
const LEAST = 100;
const MOST = 10_000;

/** What held for a while is replaced at once. What ends soon after its start ends so again, and is started less and less often. */
export function restartDelay(): RestartDelay {
  let next = 0;
  return (held) => {
    const wait = held >= LONG ? 0 : next;
    next = Math.min(Math.max(wait * 2, LEAST), MOST);
    return wait;
  };
}
