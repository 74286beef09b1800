import { timingSafeEqual } from 'node:crypto';
import type { ServerSecrets } from '../keys/server-secrets.ts';

const ID_BYTES = 4;
const MAC_BYTES = 32;

/**
 * A value that proves itself: `payload ‖ id of a server secret (4 bytes) ‖ HMAC-SHA-256 (32 bytes)` in base64url. What was not minted here
 * is refused before any I/O, and there is nothing to store or to steal from a database. A domain keeps values of one kind from being taken
 * for another (a code for a refresh token, a cookie for a code).
 */
export function mintBytes(secrets: ServerSecrets, domain: string, payload: Buffer): string {
  const { newest } = secrets;
  const minted = Buffer.allocUnsafe(payload.length + ID_BYTES + MAC_BYTES);
  payload.copy(minted);
  minted.write(newest.id, payload.length, ID_BYTES, 'hex');
  newest.mac(domain, minted.subarray(0, payload.length + ID_BYTES)).copy(minted, payload.length + ID_BYTES);
  return minted.toString('base64url');
}

/** @returns the payload, or undefined when the text was not minted here for this domain, or in any other spelling. */
export function proveBytes(secrets: ServerSecrets, domain: string, text: string): Buffer | undefined {
  const minted = Buffer.from(text, 'base64url');
  // base64url has several spellings of one value (spare bits, ignored characters): only the one that was minted counts.
  if (minted.length < ID_BYTES + MAC_BYTES || minted.toString('base64url') !== text) {
    return undefined;
  }
  const macAt = minted.length - MAC_BYTES;
  const secret = secrets.byId(minted.toString('hex', macAt - ID_BYTES, macAt));
  if (secret === undefined || !timingSafeEqual(secret.mac(domain, minted.subarray(0, macAt)), minted.subarray(macAt))) {
    return undefined;
  }
  return minted.subarray(0, macAt - ID_BYTES);
}
