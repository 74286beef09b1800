import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { ServerSecret, ServerSecrets } from '../keys/server-secrets.ts';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * A client's secret, encrypted: `client_secret_jwt` is an HMAC under the secret itself, so a digest would not do. AES-256-GCM with a random
 * nonce, under a key derived from the newest server secret for this one client, so that nobody who can write to the database can give one
 * client the secret of another.
 * @returns `server secret id . base64url(nonce ‖ ciphertext ‖ tag)`
 */
export function sealSecret({ newest }: Pick<ServerSecrets, 'newest'>, clientId: string, secret: string): string {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, keyFor(newest, clientId), nonce);
  const sealed = Buffer.concat([nonce, cipher.update(secret, 'utf8'), cipher.final(), cipher.getAuthTag()]);
  return `${newest.id}.${sealed.toString('base64url')}`;
}

/** @returns the secret, or undefined when the server secret it was sealed with is gone (revoked), or it was sealed for another client. */
export function openSealedSecret(secrets: Pick<ServerSecrets, 'byId'>, clientId: string, sealed: string): string | undefined {
  const [id = '', encoded = ''] = sealed.split('.');
  const serverSecret = secrets.byId(id);
  const bytes = Buffer.from(encoded, 'base64url');
  if (serverSecret === undefined || bytes.length < NONCE_BYTES + TAG_BYTES) {
    return undefined;
  }
  const decipher = createDecipheriv(CIPHER, keyFor(serverSecret, clientId), bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]).toString('utf8');
  } catch {
    return undefined;
  }
}

/** 256 bits: the MAC of the domain is a pseudo-random function, and the client's name its input. */
function keyFor(secret: ServerSecret, clientId: string): Buffer {
  return secret.mac('client_secret_encryption', Buffer.from(clientId));
}
