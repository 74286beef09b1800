import { randomInt } from 'node:crypto';
import { digest } from '../core/secrets.ts';

const CODES = 10;
// Without those that look alike. 32 characters: 5 bits each.
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789';
const GROUPS = 4;
const GROUP_CHARACTERS = 4;
const CODE = new RegExp(`^[${ALPHABET}]{${GROUPS * GROUP_CHARACTERS}}$`);

/** Ten codes for the day the authenticator is lost, such as `h4kd-9xw2-pq7m-tz3c`: 80 random bits each, so that a digest may be stored. */
export function newRecoveryCodes(): readonly string[] {
  return Array.from({ length: CODES }, () => Array.from({ length: GROUPS }, group).join('-'));
}

/** What is stored of a code, and looked for; undefined: nothing that has the form of one. Case, spaces and hyphens do not matter. */
export function recoveryDigest(userId: string, typed: string): string | undefined {
  const code = typed.toLowerCase().replace(/[\s-]/g, '');
  // With the user's identifier, so that no table of digests fits two users.
  return CODE.test(code) ? digest(`${userId} ${code}`) : undefined;
}

function group(): string {
  return Array.from({ length: GROUP_CHARACTERS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
