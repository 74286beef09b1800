import type { SigningAlgorithm } from '../config/config.ts';
import { isEncryptionAlgorithm } from '../keys/key-algorithms.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import { keyName } from './status-references.ts';

/** A key whose tokens have status lists. */
export interface ListKey {
  readonly name: string;
  /** What its lists are signed with: the algorithm that its tokens are, as far as it is known. */
  readonly alg: SigningAlgorithm;
  /** Every token that it signed is invalid. */
  readonly isRevoked: boolean;
  /** Whether it has signed tokens, so that its lists are worth being announced. By the clock: a key takes over at its date. */
  readonly hasSigned: () => boolean;
}

/** The keys by the name that addresses of lists have. Cheap to ask again and again: made anew when the ring changed. */
export function listKeys(rooms: {
  readonly keys: Pick<KeyRing, 'published' | 'revoked' | 'isNext'>;
  readonly algorithms: readonly [SigningAlgorithm, ...SigningAlgorithm[]];
}): () => ReadonlyMap<string, ListKey> {
  const { keys, algorithms } = rooms;
  let madeFrom: readonly unknown[] = [];
  let known: ReadonlyMap<string, ListKey> = new Map();

  return () => {
    const published = keys.published();
    const revoked = keys.revoked();
    if (published !== madeFrom[0] || revoked !== madeFrom[1]) {
      madeFrom = [published, revoked];
      known = new Map(
        [
          ...published.keys.flatMap(({ kid, alg }) =>
            isEncryptionAlgorithm(alg) ? [] : [{ name: keyName(kid), alg, isRevoked: false, hasSigned: () => !keys.isNext(kid) }],
          ),
          // Last: where two keys share a name, the revoked one decides.
          ...revoked.map((kid) => ({ name: keyName(kid), alg: algorithms[0], isRevoked: true, hasSigned: () => true })),
        ].map((key) => [key.name, { ...key, alg: algorithms.includes(key.alg) ? key.alg : algorithms[0] }]),
      );
    }
    return known;
  };
}
