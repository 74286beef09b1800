import { type EntryBlock, LIST_ENTRIES, listOf, placeOf, type StatusEntry } from './entries.ts';
import type { StatusReferences } from './status-references.ts';

/** The lists in memory: a bit an entry, 1 for INVALID (draft-ietf-oauth-status-list sections 4.1 and 7.1). */
export interface StatusBits {
  /** Marks entries as invalid. @returns the indices that were not before, by list. */
  apply(changes: readonly EntryBlock[]): ReadonlyMap<number, readonly number[]>;
  isInvalid(entry: StatusEntry): boolean;
  /** The bytes of a list; undefined: all are valid. They change in place. */
  bytes(list: number): Uint8Array | undefined;
  /** Another number after each change of the list. */
  version(list: number): number;
  /** The lists in which something is invalid. */
  touched(): readonly number[];
  /** Takes the place of what is here, in one step. @returns the lists that differ. */
  replaceBy(fresh: StatusBits): readonly number[];
}

/** All valid. A list takes 128 KiB of memory from its first invalid entry on, and nothing before. */
export function statusBits(references: Pick<StatusReferences, 'permutation'>): StatusBits {
  let lists = new Map<number, Uint8Array>();
  const versions = new Map<number, number>();

  function mark({ first, count }: EntryBlock, marked: Map<number, number[]>): void {
    const list = listOf(first);
    const { indexOf } = references.permutation(list);
    let bytes = lists.get(list);
    if (bytes === undefined) {
      bytes = new Uint8Array(LIST_ENTRIES / 8);
      lists.set(list, bytes);
    }
    for (let place = placeOf(first); place < placeOf(first) + count; place++) {
      const index = indexOf(place);
      // Section 4.1: from the least significant bit of the first byte on.
      const [at, bit] = [index >> 3, 1 << (index & 7)];
      const byte = bytes[at] ?? 0;
      if ((byte & bit) === 0) {
        bytes[at] = byte | bit;
        const ofList = marked.get(list);
        if (ofList === undefined) {
          marked.set(list, [index]);
        } else {
          ofList.push(index);
        }
      }
    }
  }

  function move(list: number): void {
    versions.set(list, (versions.get(list) ?? 0) + 1);
  }

  return {
    apply(changes) {
      const marked = new Map<number, number[]>();
      for (const change of changes) {
        mark(change, marked);
      }
      for (const list of marked.keys()) {
        move(list);
      }
      return marked;
    },
    isInvalid(entry) {
      const bytes = lists.get(listOf(entry));
      if (bytes === undefined) {
        return false;
      }
      const index = references.permutation(listOf(entry)).indexOf(placeOf(entry));
      return ((bytes[index >> 3] ?? 0) & (1 << (index & 7))) !== 0;
    },
    bytes: (list) => lists.get(list),
    version: (list) => versions.get(list) ?? 0,
    touched: () => [...lists.keys()],
    replaceBy(fresh) {
      const before = lists;
      lists = new Map(fresh.touched().flatMap((list) => [[list, fresh.bytes(list) ?? new Uint8Array(LIST_ENTRIES / 8)] as const]));
      const different = [...new Set([...before.keys(), ...lists.keys()])].filter((list) => !isSame(before.get(list), lists.get(list)));
      for (const list of different) {
        move(list);
      }
      return different;
    },
  };
}

function isSame(one: Uint8Array | undefined, other: Uint8Array | undefined): boolean {
  return one !== undefined && other !== undefined && Buffer.compare(one, other) === 0;
}
