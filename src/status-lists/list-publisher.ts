import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, deflate } from 'node:zlib';
import { LRUCache } from 'lru-cache';
import type { SigningAlgorithm } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { SigningKey } from '../keys/signing-key.ts';
import { LIST_ENTRIES } from './entries.ts';
import type { ListKey } from './list-keys.ts';
import type { StatusBits } from './status-bits.ts';
import type { StatusReferences } from './status-references.ts';

/** A signed status list, and a name for its content that is the same on every node. */
export interface PublishedList {
  readonly token: string;
  readonly entityTag: string;
}

/** Makes the signed lists (draft-ietf-oauth-status-list section 5.1), each once for as long as it stays as it is. */
export type ListPublisher = (key: ListKey, list: number) => Promise<PublishedList>;

/**
 * A list is compressed and signed when somebody asks for it after a change, once however many ask, and neither on the way of a token
 * request nor, for the compression, on the thread that serves them. What it costs does not depend on how many entries are in use.
 */
export function listPublisher(rooms: {
  readonly keys: { current(alg: SigningAlgorithm): SigningKey };
  readonly bits: Pick<StatusBits, 'bytes' | 'version'>;
  readonly references: Pick<StatusReferences, 'uri'>;
  readonly aggregationUri: string;
  readonly ttlSeconds: number;
  /** Until when the bits have everything. A list is good from then on, and not from when it is signed: a node that is cut off makes none new. */
  readonly knownAt: () => EpochSeconds;
}): ListPublisher {
  const { keys, bits, references, aggregationUri, ttlSeconds, knownAt } = rooms;
  const { validSeconds, renewSeconds } = listTimes(ttlSeconds);
  const compressed = new LRUCache<string, Promise<Compressed>>({ max: MOST_LISTS });
  const published = new LRUCache<string, { readonly state: string; readonly made: Promise<PublishedList> }>({ max: MOST_LISTS * 4 });

  function compressedList({ isRevoked }: ListKey, list: number, version: number): Promise<Compressed> {
    const bytes = isRevoked ? undefined : bits.bytes(list);
    // Lists without anything invalid are all the same.
    const name = isRevoked ? 'revoked' : bytes === undefined ? 'valid' : `${list} ${version}`;
    let known = compressed.get(name);
    if (known === undefined) {
      // A copy: the bytes may change while another thread reads them.
      known = compress(bytes?.slice() ?? new Uint8Array(LIST_ENTRIES / 8).fill(isRevoked ? 0xff : 0));
      compressed.set(name, known);
      known.catch(() => compressed.delete(name));
    }
    return known;
  }

  async function make(key: ListKey, list: number, version: number, period: number): Promise<PublishedList> {
    const { lst, digest } = await compressedList(key, list, version);
    const signer = keys.current(key.alg);
    const sub = references.uri(key.name, list);
    const iat = knownAt();
    const token = await signer.sign('statuslist+jwt', {
      sub,
      iat,
      exp: iat + validSeconds,
      ttl: ttlSeconds,
      status_list: { bits: 1, lst, aggregation_uri: aggregationUri },
    });
    // Weak (RFC 9110 section 8.8.1): another node's copy says the same, but has a signature and an iat of its own.
    const name = createHash('sha256')
      .update(JSON.stringify([sub, digest, period, signer.kid, ttlSeconds]))
      .digest('base64url');
    return { token, entityTag: `W/"${name.slice(0, 22)}"` };
  }

  return (key, list) => {
    const version = bits.version(list);
    const period = Math.floor(knownAt() / renewSeconds);
    const uri = references.uri(key.name, list);
    const state = `${key.isRevoked ? 'revoked' : version} ${period} ${keys.current(key.alg).kid}`;
    const known = published.get(uri);
    if (known?.state === state) {
      return known.made;
    }
    const made = make(key, list, version, period);
    published.set(uri, { state, made });
    made.catch(() => published.delete(uri));
    return made;
  };
}

/**
 * How long a list may be relied upon, and how often it is made anew though nothing changed: every copy that is given out is good for several
 * times its `ttl`, so that a resource server gets over a restart of this server, and not for much longer, so that nobody can hide a revocation
 * behind an old list for long.
 */
export function listTimes(ttlSeconds: number): { readonly validSeconds: number; readonly renewSeconds: number } {
  const validSeconds = Math.max(600, 4 * ttlSeconds);
  return { validSeconds, renewSeconds: Math.floor(validSeconds / 4) };
}

const MOST_LISTS = 256;

interface Compressed {
  readonly lst: string;
  readonly digest: string;
}

const deflateOnAnotherThread = promisify(deflate);

/**
 * Section 4.1: DEFLATE in the zlib format, "RECOMMENDED to use the highest compression level available". Looking for runs alone: zeros are what
 * there is to find, the result is as small as with a search for longer repeats, and it takes a twentieth of the time and less.
 */
async function compress(bytes: Uint8Array): Promise<Compressed> {
  const packed = await deflateOnAnotherThread(bytes, { level: constants.Z_BEST_COMPRESSION, strategy: constants.Z_RLE });
  return { lst: packed.toString('base64url'), digest: createHash('sha256').update(packed).digest('base64url') };
}
