/** Repeated work of the server, one run of each at a time. */
export interface Timers {
  /** @param onFailure is told when a run failed; the next one comes all the same. */
  every(milliseconds: number, work: () => Promise<void>, onFailure: (error: unknown) => void): void;
  /** Starts no more runs, and waits for those under way. */
  stop(): Promise<void>;
}

export function timers(): Timers {
  const handles: NodeJS.Timeout[] = [];
  const running = new Set<Promise<void>>();

  return {
    every(milliseconds, work, onFailure) {
      let isBusy = false;
      handles.push(
        setInterval(() => {
          if (isBusy) {
            return;
          }
          isBusy = true;
          const run = work()
            .catch(onFailure)
            .finally(() => {
              isBusy = false;
              running.delete(run);
            });
          running.add(run);
        }, milliseconds),
      );
    },
    async stop() {
      handles.forEach(clearInterval);
      await Promise.all(running);
    },
  };
}
