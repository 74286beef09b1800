import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** A new secret of 256 random bits, base64url (43 characters): what RFC 6749 section 10.10 calls infeasible to guess. */
export function generateSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** SHA-256, base64url: enough to store a secret of 256 random bits, which no one can try out. Never for a password. */
export function digest(secret: string): string {
  return createHash('sha256').update(secret).digest('base64url');
}

/** Compares two strings in a time that depends on their lengths alone. */
export function equalInConstantTime(one: string, other: string): boolean {
  const a = Buffer.from(one);
  const b = Buffer.from(other);
  return a.length === b.length && timingSafeEqual(a, b);
}
