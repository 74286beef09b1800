import { createPasswords } from '../accounts/password.ts';
import { registrationLimits } from '../clients/registrable.ts';
import { clientRegistration } from '../clients/registration.ts';
import { loadConfig } from '../config/load-config.ts';
import { systemClock } from '../core/clock.ts';
import { type Demo, prepareDemo, wantsDemo } from '../demo.ts';
import { auditLog } from '../http/audit-log.ts';
import { createLog } from '../http/log.ts';
import { readServerSecrets } from '../keys/directory-secrets.ts';
import { startServer } from '../server.ts';

// All that is in flight has ended long before the 10 seconds that an orchestrator usually waits.
const SHUTDOWN_MILLISECONDS = 8000;

/** `keyturn serve`: runs the server until it is told to stop. Resolves when it serves. @throws what `startServer` throws. */
export async function serve(): Promise<void> {
  const config = loadConfig();
  const log = createLog({ level: config.logLevel });
  const clock = systemClock;
  let demo: Demo | undefined;
  const server = await startServer(config, {
    clock,
    logger: log.logger,
    audit: auditLog(log.logger),
    async prepare({ clientStore, users }, issuer) {
      if (!wantsDemo(config, issuer)) {
        return;
      }
      const registration = clientRegistration({
        store: clientStore,
        limits: registrationLimits(config),
        clock,
        serverSecrets: () => readServerSecrets(config.keysDirectory, clock),
      });
      demo = await prepareDemo({ config, issuer, clientStore, users, registration, passwords: createPasswords(), clock });
    },
  });
  if (demo !== undefined) {
    log.logger.info(demo, 'demo client and user');
    process.stderr.write(greeting(server.issuer, demo));
  }
  log.logger.info({ url: server.url, issuer: server.issuer }, 'listening');

  let isStopping = false;
  const stop = async (signal: string): Promise<void> => {
    if (isStopping) {
      return;
    }
    isStopping = true;
    log.logger.info({ signal }, 'stopping');
    // Whatever hangs: better to be gone in time than to be killed.
    setTimeout(() => process.exit(1), SHUTDOWN_MILLISECONDS + 1500).unref();
    await server.close(SHUTDOWN_MILLISECONDS);
    log.logger.info('stopped');
    await log.flush();
    process.exit(0);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
}

function greeting(issuer: string, { file, curl }: Demo): string {
  return `
Keyturn, for trying out (NODE_ENV is not production)
  issuer     ${issuer}
  metadata   ${issuer}/.well-known/oauth-authorization-server
  secrets    ${file}
  a token    ${curl}

`;
}
