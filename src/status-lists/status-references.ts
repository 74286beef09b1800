import { LRUCache } from 'lru-cache';
import { LIST_ENTRIES, listOf, placeOf, type StatusEntry } from './entries.ts';
import { type IndexPermutation, indexPermutation } from './index-permutation.ts';

/** The claim `status` of a token (draft-ietf-oauth-status-list section 6.2). */
export interface StatusClaim {
  readonly status_list: { readonly idx: number; readonly uri: string };
}

/** Entries as tokens and lists name them. */
export interface StatusReferences {
  /** For a token that the key `kid` signs. */
  claim(kid: string, entry: StatusEntry): StatusClaim;
  /** The entry that the claims of a token of ours name; undefined: they name none. */
  entryIn(claims: Readonly<Record<string, unknown>>): StatusEntry | undefined;
  /** The address of a list for tokens that one key signed. @param key what `keyName` made of its `kid`. */
  uri(key: string, list: number): string;
  permutation(list: number): IndexPermutation;
}

/** The path of all lists, relative to the issuer. */
export const STATUS_LISTS_PATH = '/status-lists';

/**
 * A key as the addresses of lists name it: 48 bits of its thumbprint, so that tokens stay short. Each key has lists of its own, with the same
 * entries: when one is revoked, all its lists say so, and no record has to be touched.
 */
export function keyName(kid: string): string {
  return kid.slice(0, 8);
}

export function statusReferences({ issuer, secret }: { readonly issuer: string; readonly secret: string }): StatusReferences {
  const base = `${issuer}${STATUS_LISTS_PATH}/`;
  const permutations = new LRUCache<number, IndexPermutation>({ max: 512 });
  // Of the few keys that sign, the address of the newest lists: it is the same for a million tokens.
  const recent = new LRUCache<string, Map<number, string>>({ max: 64 });

  function permutation(list: number): IndexPermutation {
    let known = permutations.get(list);
    if (known === undefined) {
      known = indexPermutation(secret, list);
      permutations.set(list, known);
    }
    return known;
  }

  function uriFor(kid: string, list: number): string {
    let ofKey = recent.get(kid);
    if (ofKey === undefined || ofKey.size > MOST_LISTS) {
      ofKey = new Map();
      recent.set(kid, ofKey);
    }
    let uri = ofKey.get(list);
    if (uri === undefined) {
      uri = `${base}${keyName(kid)}/${list}`;
      ofKey.set(list, uri);
    }
    return uri;
  }

  return {
    claim(kid, entry) {
      const list = listOf(entry);
      return { status_list: { idx: permutation(list).indexOf(placeOf(entry)), uri: uriFor(kid, list) } };
    },
    entryIn({ status }) {
      const reference = member(status, 'status_list');
      const uri = member(reference, 'uri');
      const idx = member(reference, 'idx');
      if (typeof uri !== 'string' || typeof idx !== 'number' || !uri.startsWith(base) || idx >= LIST_ENTRIES) {
        return undefined;
      }
      const list = Number(/^[\w-]{8}\/(\d{1,9})$/.exec(uri.slice(base.length))?.[1]);
      return Number.isNaN(list) ? undefined : list * LIST_ENTRIES + permutation(list).placeOf(idx);
    },
    uri: (key, list) => `${base}${key}/${list}`,
    permutation,
  };
}

const MOST_LISTS = 1024;

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
