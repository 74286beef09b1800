import type { Time } from './time.ts';

/** Where it is remembered which DPoP proofs were used (RFC 9449 section 11.1). Several nodes of one API share one. */
export interface UsedProofs {
  /**
   * Marks a proof as used, in one step: of two calls with one key, on whatever node, one is told true.
   * @param key text of at most 512 characters. @param expiresAt seconds since 1970; it may be forgotten then.
   * @returns false when it was used before.
   */
  claim(key: string, expiresAt: number): Promise<boolean> | boolean;
}

// About a minute of 3,000 requests a second, and some 40 MB.
const MOST = 200_000;

/** Remembers in this process. @throws Error when there is no room: to forget one early would be to let it be used again. */
export function usedProofsInMemory(time: Time): UsedProofs {
  const used = new Map<string, number>();
  return {
    claim(key, expiresAt) {
      const now = time.epochSeconds();
      // In the order in which they came, which is nearly that in which they expire.
      for (const [old, until] of used) {
        if (until > now) {
          break;
        }
        used.delete(old);
      }
      if (used.has(key)) {
        return false;
      }
      if (used.size >= MOST) {
        throw new Error('Too many DPoP proofs within a minute to remember them all.');
      }
      used.set(key, expiresAt);
      return true;
    },
  };
}
