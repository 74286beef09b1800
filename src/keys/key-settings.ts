import type { Config } from '../config/config.ts';
import { ENCRYPTION_KEY_ALGORITHMS } from './key-algorithms.ts';
import type { KeySettings } from './key-life.ts';

/** What the operator's settings say about keys: the same for the server and for the command line, or they would undo each other's work. */
export function keySettings(config: Config): KeySettings {
  return {
    algorithms: [...config.signingAlgorithms, ...(config.features.has('encryption') ? ENCRYPTION_KEY_ALGORITHMS : [])],
    rotationSeconds: config.signingKeyRotationSeconds,
    prepublishSeconds: config.signingKeyPrepublishSeconds,
    longestTokenSeconds: Math.max(config.lifetimes.accessTokenMaxSeconds, config.lifetimes.idTokenSeconds),
  };
}
