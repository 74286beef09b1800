import { randomFillSync } from 'node:crypto';
import type { EpochSeconds } from './clock.ts';

// RFC 4648 section 7: its order as text is the order of the bytes, so an index of new rows grows at one end.
const BASE32HEX = '0123456789abcdefghijklmnopqrstuv';

/** Length of a record identifier's text. */
export const IDENTIFIER_LENGTH = 26;
/** Length of a record identifier's bytes. */
export const IDENTIFIER_BYTES = 16;

/**
 * A new record identifier: 48 bits of milliseconds and 80 random bits (the layout of a ULID), as 26 characters of base32hex. Unique across
 * nodes without asking anyone, and sorted by time of birth. Not a secret.
 */
export function newIdentifier(nowMilliseconds: number = Date.now()): string {
  const bytes = Buffer.allocUnsafe(IDENTIFIER_BYTES);
  randomFillSync(bytes, 6);
  bytes.writeUIntBE(nowMilliseconds, 0, 6);
  return identifierFromBytes(bytes, 0);
}

/** The text of the identifier that stands at `offset` in `bytes`. */
export function identifierFromBytes(bytes: Buffer, offset: number): string {
  let text = '';
  let buffer = 0;
  let bits = 0;
  for (let i = offset; i < offset + IDENTIFIER_BYTES; i++) {
    buffer = (buffer << 8) | bytes.readUInt8(i);
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += BASE32HEX.charAt((buffer >> bits) & 31);
    }
    buffer &= (1 << bits) - 1;
  }
  return text + BASE32HEX.charAt((buffer << (5 - bits)) & 31);
}

/** Writes the identifier's 16 bytes at `offset`. The text must have come from `newIdentifier` or `identifierFromBytes`. */
export function writeIdentifier(identifier: string, bytes: Buffer, offset: number): void {
  let buffer = 0;
  let bits = 0;
  let at = offset;
  for (let i = 0; i < IDENTIFIER_LENGTH; i++) {
    buffer = (buffer << 5) | BASE32HEX.indexOf(identifier.charAt(i));
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.writeUInt8((buffer >> bits) & 255, at++);
      buffer &= (1 << bits) - 1;
    }
  }
}

/** When the record of this identifier was born, by the clock of the node that made it. */
export function birthOf(identifier: string): EpochSeconds {
  const bytes = Buffer.allocUnsafe(IDENTIFIER_BYTES);
  writeIdentifier(identifier, bytes, 0);
  return Math.floor(bytes.readUIntBE(0, 6) / 1000);
}
