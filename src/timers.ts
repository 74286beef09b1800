/** Repeated work of the server, one run of each at a time. */
export interface Timers {
  /** @param onFailure is told when a run failed; the next one comes all the same. */
  every(milliseconds: number, work: () => Promise<void>, onFailure: (error: unknown) => void): Repeated;
  /** Starts no more runs, and waits for those under way. */
  stop(): Promise<void>;
}

/** One piece of repeated work. */
export interface Repeated {
  /** Runs it now and not at its time; once more if a run is under way, which may have looked too early. */
  soon(): void;
}

export function timers(): Timers {
  const handles: NodeJS.Timeout[] = [];
  const running = new Set<Promise<void>>();
  let isStopped = false;

  return {
    every(milliseconds, work, onFailure) {
      let isBusy = false;
      let isWanted = false;
      function start(): void {
        isBusy = true;
        const run = work()
          .catch(onFailure)
          .finally(() => {
            isBusy = false;
            running.delete(run);
            if (isWanted && !isStopped) {
              isWanted = false;
              start();
            }
          });
        running.add(run);
      }
      handles.push(setInterval(() => isBusy || start(), milliseconds));
      return {
        soon() {
          if (isBusy) {
            isWanted = true;
          } else if (!isStopped) {
            start();
          }
        },
      };
    },
    async stop() {
      isStopped = true;
      handles.forEach(clearInterval);
      await Promise.all(running);
    },
  };
}
