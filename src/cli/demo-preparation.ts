import type { Logger } from 'pino';
import { createPasswords } from '../accounts/password.ts';
import { registrationLimits } from '../clients/registrable.ts';
import { clientRegistration } from '../clients/registration.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { type Demo, prepareDemo, wantsDemo } from '../demo.ts';
import { readServerSecrets } from '../keys/directory-secrets.ts';
import type { Surroundings } from '../prepare-server.ts';

/** The client and the user for trying things out, made at the first start outside production. */
export interface DemoPreparation {
  readonly prepare: NonNullable<Surroundings['prepare']>;
  /** Tells whoever started the server how to get a first token; nothing where there is no demo. */
  greet(issuer: string, logger: Logger): void;
}

export function demoPreparation(config: Config, clock: Clock): DemoPreparation {
  let demo: Demo | undefined;
  return {
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
    greet(issuer, logger) {
      if (demo !== undefined) {
        logger.info(demo, 'demo client and user');
        process.stderr.write(greeting(issuer, demo));
      }
    },
  };
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
