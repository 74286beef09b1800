import { base64url } from 'jose';
import type { Time } from './time.ts';

/** Nonces for DPoP proofs (RFC 9449 section 9): nothing is stored, and all who share the secret know each other's. */
export interface DpopNonces {
  /** The one to give out now. */
  current(): Promise<string>;
  /** Whether it was given out within the last five minutes. */
  isRecent(nonce: string): Promise<boolean>;
}

const STEP_SECONDS = 60;
const STEPS = 5;

/** @param secret at least 32 random bytes, the same on all nodes; undefined: made now, and known to this process alone. */
export function dpopNonces(secret: Uint8Array | undefined, time: Time): DpopNonces {
  const bytes = secret ?? crypto.getRandomValues(new Uint8Array(32));
  if (bytes.byteLength < 32) {
    throw new TypeError('The secret of DPoP nonces must have at least 32 bytes.');
  }
  const key = crypto.subtle.importKey('raw', bytes as Uint8Array<ArrayBuffer>, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const made = new Map<number, Promise<string>>();

  function nonceOf(step: number): Promise<string> {
    let nonce = made.get(step);
    if (nonce === undefined) {
      for (const old of made.keys()) {
        if (old < step - STEPS) {
          made.delete(old);
        }
      }
      nonce = mac(step);
      made.set(step, nonce);
    }
    return nonce;
  }

  async function mac(step: number): Promise<string> {
    const input = new TextEncoder().encode(`keyturn resource server dpop nonce ${step}`);
    return base64url.encode(new Uint8Array(await crypto.subtle.sign('HMAC', await key, input)));
  }

  const step = (): number => Math.floor(time.epochSeconds() / STEP_SECONDS);
  return {
    current: () => nonceOf(step()),
    async isRecent(nonce) {
      // One step ahead as well: another node's clock may be.
      for (let candidate = step() + 1; candidate > step() - STEPS; candidate--) {
        if ((await nonceOf(candidate)) === nonce) {
          return true;
        }
      }
      return false;
    },
  };
}
