import cluster, { type Worker } from 'node:cluster';
import type { Logger } from 'pino';
import type { Config } from '../config/config.ts';
import { systemClock } from '../core/clock.ts';
import { auditLog } from '../http/audit-log.ts';
import { createLog } from '../http/log.ts';
import { prepareServer } from '../prepare-server.ts';
import { demoPreparation } from './demo-preparation.ts';
import { restartDelay } from './restart-delay.ts';
import { stopWhenTold } from './stop-when-told.ts';

/**
 * Runs `config.workers` processes that share the port, and replaces those that end. This one prepares the database and the keys, so that all of
 * them find the same, and answers nobody. Resolves when all serve.
 * @throws what `prepareServer` throws. A first worker that cannot serve ends the start with its own exit status.
 */
export async function serveWithWorkers(config: Config): Promise<void> {
  const log = createLog({ level: config.logLevel, isShared: true });
  const { logger } = log;
  const demo = demoPreparation(config, systemClock);
  const { port, scheme, issuer, database } = await prepareServer(config, {
    clock: systemClock,
    logger,
    audit: auditLog(logger),
    prepare: demo.prepare,
  });
  await database.close();
  // A port that was picked is the same for all; and KEYTURN_ wins over whatever else says PORT.
  const workers = workersOf({ count: config.workers, environment: { KEYTURN_PORT: String(port) }, logger });
  stopWhenTold(log, (milliseconds, signal) => workers.stop(milliseconds, signal));
  await workers.allServe;
  demo.greet(issuer, logger);
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  logger.info({ url: `${scheme}://${host}:${port}`, issuer, workers: config.workers }, 'listening');
}

interface Workers {
  /** Resolves when each place has had a worker that serves. */
  readonly allServe: Promise<unknown>;
  /** Passes the signal on, and resolves when all are gone. */
  stop(milliseconds: number, signal: NodeJS.Signals): Promise<void>;
}

function workersOf({ count, environment, logger }: { count: number; environment: Record<string, string>; logger: Logger }): Workers {
  const running = new Set<Worker>();
  let isStopping = false;

  /** Keeps one place filled. Resolves when its first worker serves. */
  function fill(): Promise<void> {
    const delay = restartDelay();
    let hasServed = false;
    return new Promise((resolve) => {
      const start = (): void => {
        if (isStopping) {
          return;
        }
        const worker = cluster.fork(environment);
        const startedAt = performance.now();
        running.add(worker);
        worker.once('listening', () => {
          hasServed = true;
          resolve();
        });
        worker.once('exit', (status: number | null, signal) => {
          running.delete(worker);
          if (isStopping) {
            return;
          }
          if (!hasServed) {
            // It has said on standard error why it cannot: a port that is taken, a file that is gone.
            // Killed by a signal it has no status, and the start has failed all the same.
            process.exit(status === 0 || status === null ? 1 : status);
          }
          const wait = delay(performance.now() - startedAt);
          logger.error({ pid: worker.process.pid, status, signal, wait }, 'a worker ended; another one takes its place');
          setTimeout(start, wait);
        });
      };
      start();
    });
  }

  return {
    allServe: Promise.all(Array.from({ length: count }, fill)),
    async stop(milliseconds, signal) {
      isStopping = true;
      const deadline = setTimeout(() => {
        for (const worker of running) {
          worker.process.kill('SIGKILL');
        }
      }, milliseconds + 1000).unref();
      await Promise.all(
        [...running].map(
          (worker) =>
            new Promise<void>((resolve) => {
              worker.once('exit', () => resolve());
              worker.process.kill(signal);
            }),
        ),
      );
      clearTimeout(deadline);
    },
  };
}
