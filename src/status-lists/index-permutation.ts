import { createCipheriv, createHmac } from 'node:crypto';

/** What stands for a place in one list, and back: each of 0 to 2^20 - 1 exactly once. */
export interface IndexPermutation {
  indexOf(place: number): number;
  placeOf(index: number): number;
}

/**
 * Hands indices out so that they tell nothing (draft-ietf-oauth-status-list section 12.4): places are given in order, and a keyed
 * permutation, another one for each list, makes indices of them. So neither order nor rate can be seen in an index, nothing has to be drawn or
 * looked up, and two tokens never get the same. A Feistel network of eight rounds over two halves of ten bits, its round functions
 * tables of a keystream.
 * @param secret the same on all nodes, for ever: with another one the indices of living tokens would mean others.
 */
export function indexPermutation(secret: string, list: number): IndexPermutation {
  const tables = roundTables(secret, list);
  return {
    indexOf(place) {
      let left = place >> HALF_BITS;
      let right = place & HALF_MASK;
      for (let round = 0; round < ROUNDS; round++) {
        const mixed = left ^ (tables[(round << HALF_BITS) | right] ?? 0);
        left = right;
        right = mixed;
      }
      return (left << HALF_BITS) | right;
    },
    placeOf(index) {
      let left = index >> HALF_BITS;
      let right = index & HALF_MASK;
      for (let round = ROUNDS - 1; round >= 0; round--) {
        const mixed = right ^ (tables[(round << HALF_BITS) | left] ?? 0);
        right = left;
        left = mixed;
      }
      return (left << HALF_BITS) | right;
    },
  };
}

const HALF_BITS = 10;
const HALF_MASK = (1 << HALF_BITS) - 1;
const ROUNDS = 8;

/** A table of ten-bit numbers for each round, 16 KiB in all. */
function roundTables(secret: string, list: number): Uint16Array {
  const seed = createHmac('sha256', secret).update(`keyturn status list ${list}`).digest();
  const size = ROUNDS << HALF_BITS;
  const keystream = createCipheriv('aes-128-ctr', seed.subarray(0, 16), seed.subarray(16)).update(Buffer.alloc(size * 2));
  // Read byte by byte in one order, whatever the machine's is: nodes of two kinds must agree.
  return Uint16Array.from({ length: size }, (_, at) => keystream.readUInt16LE(at * 2) & HALF_MASK);
}
