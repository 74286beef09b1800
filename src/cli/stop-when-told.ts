import type { Log } from '../http/log.ts';

// All that is in flight has ended long before the 10 seconds that an orchestrator usually waits.
const SHUTDOWN_MILLISECONDS = 8000;

/** Ends the process well on SIGTERM and SIGINT. @param close is given the milliseconds it may take. */
export function stopWhenTold({ logger, flush }: Log, close: (milliseconds: number, signal: NodeJS.Signals) => Promise<void>): void {
  let isStopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (isStopping) {
      return;
    }
    isStopping = true;
    logger.info({ signal }, 'stopping');
    // Whatever hangs: better to be gone in time than to be killed.
    setTimeout(() => process.exit(1), SHUTDOWN_MILLISECONDS + 1500).unref();
    await close(SHUTDOWN_MILLISECONDS, signal);
    logger.info('stopped');
    await flush();
    process.exit(0);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
}
