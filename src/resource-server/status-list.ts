import { base64url } from 'jose';

/** A decoded Token Status List (draft-ietf-oauth-status-list section 4). */
export interface StatusList {
  /** Entries it has room for. */
  readonly size: number;
  /** The status at an index: 0 VALID, 1 INVALID, 2 SUSPENDED (section 7.1). @returns undefined: the list is too short for it. */
  at(index: number): number | undefined;
}

// Two million tokens of eight bits each; a list that unpacks to more is an attack (section 11 of RFC 1950 readers' lore: a zip bomb).
const LARGEST_BYTES = 2 * 1024 * 1024;

/**
 * Decodes the `status_list` member of a list token.
 * @throws Error when it is not one, or larger than two mebibytes.
 */
export async function decodeStatusList(member: unknown): Promise<StatusList> {
  const { bits, lst } = typeof member === 'object' && member !== null ? (member as { bits?: unknown; lst?: unknown }) : {};
  if ((bits !== 1 && bits !== 2 && bits !== 4 && bits !== 8) || typeof lst !== 'string') {
    throw new Error('The status list needs bits of 1, 2, 4 or 8, and lst.');
  }
  const bytes = await inflate(base64url.decode(lst));
  const perByte = 8 / bits;
  const mask = 2 ** bits - 1;
  const size = bytes.length * perByte;
  return {
    size,
    at(index) {
      const byte = bytes[Math.floor(index / perByte)];
      // Section 4.1: the first entry of a byte is in its least significant bits.
      return byte === undefined ? undefined : (byte >> ((index % perByte) * bits)) & mask;
    },
  };
}

/** Section 4.1: DEFLATE in the ZLIB form, which is what the web platform calls deflate. */
async function inflate(packed: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([packed as Uint8Array<ArrayBuffer>]).stream().pipeThrough(new DecompressionStream('deflate'));
  const parts: Uint8Array[] = [];
  let length = 0;
  for await (const part of stream) {
    const chunk = part as Uint8Array;
    length += chunk.byteLength;
    if (length > LARGEST_BYTES) {
      throw new Error(`The status list unpacks to more than ${LARGEST_BYTES} bytes.`);
    }
    parts.push(chunk);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.byteLength;
  }
  return whole;
}
