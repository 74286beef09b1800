import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { ServerSecret, ServerSecrets } from './server-secrets.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What a sealed text is and whose it is: one that was sealed for another purpose or owner is not opened. */
export interface Seal {
  /** A constant of the program, as for `ServerSecret.mac`. */
  readonly domain: string;
  /** An identifier. Whoever can write to the database can't give one owner the text of another. */
  readonly owner: string;
}

/**
 * A secret that the server must be able to read again, encrypted for the database: AES-256-GCM with a random nonce, under a key derived from
 * the newest server secret for this purpose and owner.
 * @returns `server secret id . base64url(nonce ‖ ciphertext ‖ tag)`
 */
export function sealText({ newest }: Pick<ServerSecrets, 'newest'>, seal: Seal, text: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, keyFor(newest, seal), nonce);
  const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${newest.id}.${sealed.toString('base64url')}`;
}

/** @returns the text, or undefined when the server secret it was sealed with is gone (revoked), or it was sealed for another purpose or owner. */
export function openSealedText(secrets: Pick<ServerSecrets, 'byId'>, seal: Seal, sealed: string): string | undefined {
  const [id = '', encoded = ''] = sealed.split('.');
  const serverSecret = secrets.byId(id);
  const bytes = Buffer.from(encoded, 'base64url');
  if (serverSecret === undefined || bytes.length < NONCE_BYTES + TAG_BYTES) {
    return undefined;
  }
  const decipher = createDecipheriv(CIPHER, keyFor(serverSecret, seal), bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

/** 256 bits: the MAC of the domain is a pseudo-random function, and the owner's name its input. */
function keyFor(secret: ServerSecret, { domain, owner }: Seal): Buffer {
  return secret.mac(domain, Buffer.from(owner));
}
