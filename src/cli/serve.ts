import cluster from 'node:cluster';
import { loadConfig } from '../config/load-config.ts';
import { systemClock } from '../core/clock.ts';
import { auditLog } from '../http/audit-log.ts';
import { createLog } from '../http/log.ts';
import { startServer } from '../server.ts';
import { demoPreparation } from './demo-preparation.ts';
import { stopWhenTold } from './stop-when-told.ts';

/** `keyturn serve`: runs the server until it is told to stop. Resolves when it serves. @throws what `startServer` throws. */
export async function serve(): Promise<void> {
  const config = loadConfig();
  if (cluster.isPrimary && config.workers > 1) {
    // Not loaded by workers, nor by a server that has none.
    const { serveWithWorkers } = await import('./serve-with-workers.ts');
    return serveWithWorkers(config);
  }
  const log = createLog({ level: config.logLevel, isShared: config.workers > 1 });
  const { logger } = log;
  const demo = demoPreparation(config, systemClock);
  const server = await startServer(config, {
    clock: systemClock,
    logger,
    audit: auditLog(logger),
    // Of workers the first process has made it.
    ...(cluster.isPrimary ? { prepare: demo.prepare } : {}),
  });
  demo.greet(server.issuer, logger);
  logger[cluster.isPrimary ? 'info' : 'debug'](
    { url: server.url, issuer: server.issuer },
    cluster.isPrimary ? 'listening' : 'worker listening',
  );
  stopWhenTold(log, (milliseconds) => server.close(milliseconds));
}
