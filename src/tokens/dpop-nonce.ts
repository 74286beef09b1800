import type { EpochSeconds } from '../core/clock.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { mintBytes, proveBytes } from './authenticated-bytes.ts';

/** Nonces for DPoP proofs (RFC 9449 section 8): nothing is stored, and every node knows those of the others. */
export interface DpopNonces {
  /** The one to give out now: the same for everybody for a minute, and for nobody to foresee. */
  current(now: EpochSeconds): string;
  /** Whether it was given out here within the last five minutes. */
  isRecent(nonce: string, now: EpochSeconds): boolean;
}

const DOMAIN = 'keyturn dpop nonce';
const STEP_SECONDS = 60;
const LIFETIME_SECONDS = 300;
const TIME_BYTES = 6;

/** A nonce is the time it was made at, with a MAC. */
export function dpopNonces(secrets: ServerSecrets): DpopNonces {
  return {
    current(now) {
      const time = Buffer.allocUnsafe(TIME_BYTES);
      time.writeUIntBE(now - (now % STEP_SECONDS), 0, TIME_BYTES);
      return mintBytes(secrets, DOMAIN, time);
    },
    isRecent(nonce, now) {
      const proven = proveBytes(secrets, DOMAIN, nonce);
      if (proven === undefined || proven.length !== TIME_BYTES) {
        return false;
      }
      const age = now - proven.readUIntBE(0, TIME_BYTES);
      // Another node's clock may be ahead of ours.
      return age >= -STEP_SECONDS && age < LIFETIME_SECONDS;
    },
  };
}
