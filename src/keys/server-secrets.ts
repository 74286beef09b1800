import { createHmac, createSecretKey, hkdfSync, type KeyObject } from 'node:crypto';

/** One of the server's own secrets: it makes and checks what only this server has to recognise (refresh tokens, codes, cookies). */
export interface ServerSecret {
  /** Names the secret inside what it made: 32 random bits as 8 hex digits. Says nothing about the secret. */
  readonly id: string;
  /**
   * HMAC-SHA-256 of `data`, 32 bytes. Each `domain` (a constant of the program, such as `refresh_token`) has a key of its own, derived by
   * HKDF-SHA-256 (RFC 5869) with the domain as info: what was made for one purpose never passes for another. Compare with
   * `timingSafeEqual`.
   */
  mac(domain: string, data: Buffer): Buffer;
}

/** The server's secrets, live: an answer may change from one call to the next as secrets are rotated or revoked. */
export interface ServerSecrets {
  /** The one to make new credentials with. */
  readonly newest: ServerSecret;
  /** The one a credential names; undefined when there never was one or it was revoked. */
  byId(id: string): ServerSecret | undefined;
}

/** A server secret from its 256 bits. */
export function serverSecret(id: string, key: KeyObject): ServerSecret {
  const domains = new Map<string, KeyObject>();

  function keyFor(domain: string): KeyObject {
    const known = domains.get(domain);
    if (known !== undefined) {
      return known;
    }
    // No salt: the input is a uniformly random key already (RFC 5869 section 3.1).
    const derived = createSecretKey(Buffer.from(hkdfSync('sha256', key, '', domain, 32)));
    domains.set(domain, derived);
    return derived;
  }

  return { id, mac: (domain, data) => createHmac('sha256', keyFor(domain)).update(data).digest() };
}
