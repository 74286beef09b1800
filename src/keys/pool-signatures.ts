/** How long signatures wait for the thread pool, which all keys of the process share. Only what takes long is signed there (see JWS_PARAMETERS). */
export interface PoolSignatures {
  /** Of a signature that is handed over now. @returns what is to be called when it is made. */
  begin(): () => void;
  /** Milliseconds until one that is asked for now would get a thread, by what the last ones took; 0 where there is a free one. */
  wait(): number;
}

// libuv's own number; more, by UV_THREADPOOL_SIZE, only makes the wait seem longer than it is.
const THREADS = 4;

// Of each new measurement, so that some twenty of them are what counts.
const WEIGHT = 0.05;

/** @param now milliseconds of a clock that is never set. */
export function poolSignatures(now: () => number = () => performance.now()): PoolSignatures {
  let onTheirWay = 0;
  let millisecondsEach: number | undefined;

  return {
    begin() {
      const startedAt = now();
      const before = onTheirWay++;
      return () => {
        onTheirWay -= 1;
        // Those that were there before had their turn first.
        const each = (now() - startedAt) / (before + 1);
        millisecondsEach = millisecondsEach === undefined ? each : millisecondsEach + WEIGHT * (each - millisecondsEach);
      };
    },
    wait: () => Math.max(0, onTheirWay - THREADS + 1) * (millisecondsEach ?? 0),
  };
}

/** Those of this process: it has one thread pool. */
export const ofThisProcess: PoolSignatures = poolSignatures();
