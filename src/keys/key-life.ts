import type { EpochSeconds } from '../core/clock.ts';
import type { KeyAlgorithm } from './key-algorithms.ts';

/**
 * The life of keys, as pure functions of the key files, the settings and the time. For each algorithm: next (published, not
 * signing), active, retiring (published, not signing), gone. A key that decrypts lives the same life: it does so in all three states, and
 * clients are given the active one to encrypt for.
 *
 * Every process computes it for itself, at moments of its own, and all must agree on who signs: so a key becomes active at a date that
 * follows from the files alone, not at the moment when somebody noticed. Writing that date down comes after.
 */

/** The dates of one key, as its file has them. */
export interface KeyDates {
  readonly kid: string;
  readonly alg: KeyAlgorithm;
  /** Counts the keys of one algorithm, from 1. */
  readonly sequence: number;
  /** Published since. */
  readonly createdAt: EpochSeconds;
  /** Signs or signed since; undefined: nobody has written it down yet. */
  readonly activatedAt: EpochSeconds | undefined;
  /** Its algorithm was dropped from SIGNING_ALGS while it was the newest to sign, and this was noticed then. */
  readonly retiredAt: EpochSeconds | undefined;
}

/** What the operator decided about keys. */
export interface KeySettings {
  /** SIGNING_ALGS, and those of the keys that decrypt. Each has an active and a next key. */
  readonly algorithms: readonly KeyAlgorithm[];
  /** How long a key signs; undefined: until someone rotates by hand. */
  readonly rotationSeconds: number | undefined;
  /** How long a key is published, at least, before automatic rotation lets it sign. */
  readonly prepublishSeconds: number;
  /** The longest lifetime of anything these keys sign. */
  readonly longestTokenSeconds: number;
}

export type KeyState = 'next' | 'active' | 'retiring';

/** A key and where it stands in its life. */
export interface KeyLife<Key extends KeyDates> {
  readonly key: Key;
  readonly state: KeyState;
  /** Since when it signs, or when it will; undefined: when someone rotates by hand, or never. */
  readonly activatesAt: EpochSeconds | undefined;
  /** When its file may go; undefined as long as nothing has followed it. */
  readonly goneAt: EpochSeconds | undefined;
}

/** Something that is due. `make` asks for a new key; the others are about a key that is there. */
export type KeyChange<Key extends KeyDates> =
  | { readonly kind: 'make'; readonly alg: KeyAlgorithm; readonly sequence: number; readonly activatedAt: EpochSeconds | undefined }
  | { readonly kind: 'activate'; readonly key: Key; readonly at: EpochSeconds }
  | { readonly kind: 'retire'; readonly key: Key; readonly at: EpochSeconds }
  | { readonly kind: 'resume'; readonly key: Key }
  | { readonly kind: 'remove'; readonly key: Key };

/** How far the clocks of this server and of those who verify its tokens may differ, with the moments a process takes to notice a change. */
const CLOCK_DIFFERENCE_SECONDS = 300;

/** `max-age` of the key set: at most 10 minutes, and at most half of the time for which a key is published before it signs. */
export function jwksMaxAgeSeconds(settings: KeySettings): number {
  return Math.min(600, Math.floor(settings.prepublishSeconds / 2));
}

/** How long a key stays published once its successor signs: until the last token it signed has expired, for the slowest clock and cache. */
export function retentionSeconds(settings: KeySettings): number {
  return settings.longestTokenSeconds + CLOCK_DIFFERENCE_SECONDS + jwksMaxAgeSeconds(settings);
}

/** Where every key stands at `now`: by algorithm in the order of the settings, and within one in the order in which they sign. */
export function livesOf<Key extends KeyDates>(keys: readonly Key[], settings: KeySettings, now: EpochSeconds): readonly KeyLife<Key>[] {
  return algorithmsOf(keys, settings).flatMap((alg) => {
    const own = keys.filter((key) => key.alg === alg);
    return settings.algorithms.includes(alg) ? livesInUse(own, settings, now) : livesDropped(own, settings, now);
  });
}

/** What is due at `now`. Applied, and asked again, it comes to rest: nothing is due. */
export function advance<Key extends KeyDates>(keys: readonly Key[], settings: KeySettings, now: EpochSeconds): readonly KeyChange<Key>[] {
  const lives = livesOf(keys, settings, now);
  return algorithmsOf(keys, settings).flatMap((alg) => {
    const own = lives.filter(({ key }) => key.alg === alg);
    const changes = settings.algorithms.includes(alg) ? changesInUse(alg, own, now) : changesDropped(own, now);
    return [...changes, ...removals(own, now)];
  });
}

/** The first date after `now` at which something is due or someone else signs; undefined: none is in sight. */
export function nextDateOf(lives: readonly KeyLife<KeyDates>[], now: EpochSeconds): EpochSeconds | undefined {
  const dates = lives.flatMap(({ activatesAt, goneAt }) => [activatesAt, goneAt]).filter((date) => date !== undefined && date > now);
  return dates.reduce((first, date) => (first === undefined || (date !== undefined && date < first) ? date : first), undefined);
}

/** A sequence number that no key of the algorithm has had: the newest key is never removed before a newer one is there. */
export function nextSequence(keys: readonly { readonly sequence: number }[]): number {
  return 1 + Math.max(0, ...keys.map(({ sequence }) => sequence));
}

function algorithmsOf(keys: readonly KeyDates[], settings: KeySettings): readonly KeyAlgorithm[] {
  return [...new Set([...settings.algorithms, ...keys.map(({ alg }) => alg)])];
}

interface Turn<Key> {
  readonly key: Key;
  readonly from: EpochSeconds;
}

function livesInUse<Key extends KeyDates>(keys: readonly Key[], settings: KeySettings, now: EpochSeconds): readonly KeyLife<Key>[] {
  const { turns, waiting } = timeline(keys, settings, now);
  // A clock that was set back may find no turn begun. Somebody has to sign: the one whose turn comes first.
  const active = Math.max(
    0,
    turns.findLastIndex(({ from }) => from <= now),
  );
  const lives = turns.map(({ key, from }, index): KeyLife<Key> => {
    const successor = turns[index + 1];
    if (index < active && successor !== undefined) {
      return { key, state: 'retiring', activatesAt: from, goneAt: successor.from + retentionSeconds(settings) };
    }
    return { key, state: index === active ? 'active' : 'next', activatesAt: from, goneAt: undefined };
  });
  return [...lives, ...waiting.map((key): KeyLife<Key> => ({ key, state: 'next', activatesAt: undefined, goneAt: undefined }))];
}

/** Who signs from when: as written, and then, with automatic rotation, as it must come. */
function timeline<Key extends KeyDates>(
  keys: readonly Key[],
  settings: KeySettings,
  now: EpochSeconds,
): { readonly turns: readonly Turn<Key>[]; readonly waiting: readonly Key[] } {
  const turns = keys
    .flatMap((key): Turn<Key>[] => (key.activatedAt === undefined ? [] : [{ key, from: key.activatedAt }]))
    .toSorted((one, other) => one.from - other.from || one.key.sequence - other.key.sequence);
  const waiting = keys.filter(({ activatedAt }) => activatedAt === undefined).toSorted((one, other) => one.sequence - other.sequence);
  if (turns.length === 0) {
    // The key that signed is gone, taken away by hand. The next one steps in.
    const first = waiting.shift();
    if (first !== undefined) {
      turns.push({ key: first, from: now });
    }
  }
  if (settings.rotationSeconds === undefined) {
    return { turns, waiting };
  }
  for (const key of waiting) {
    const last = turns.at(-1);
    const from = Math.max((last?.from ?? now) + settings.rotationSeconds, key.createdAt + settings.prepublishSeconds);
    turns.push({ key, from });
  }
  return { turns, waiting: [] };
}

/** Keys of an algorithm that is no longer in SIGNING_ALGS: none signs, and each stays until its last token has expired. */
function livesDropped<Key extends KeyDates>(keys: readonly Key[], settings: KeySettings, now: EpochSeconds): readonly KeyLife<Key>[] {
  const { turns, waiting } = timeline(keys, { ...settings, rotationSeconds: undefined }, now);
  const ordered = [...turns, ...waiting.map((key) => ({ key, from: undefined }))];
  return ordered.map(({ key, from }, index): KeyLife<Key> => {
    const successor = ordered[index + 1]?.from;
    const last = successor !== undefined && successor <= now ? successor : (key.retiredAt ?? now);
    return { key, state: 'retiring', activatesAt: from, goneAt: last + retentionSeconds(settings) };
  });
}

function changesInUse<Key extends KeyDates>(
  alg: KeyAlgorithm,
  lives: readonly KeyLife<Key>[],
  now: EpochSeconds,
): readonly KeyChange<Key>[] {
  const changes: KeyChange<Key>[] = [];
  let sequence = nextSequence(lives.map(({ key }) => key));
  if (lives.length === 0) {
    // The first key of an algorithm signs at once, on the first start and when the algorithm is added later: no other key could sign in its
    // place meanwhile. To spare verifiers an unknown kid, list a new algorithm last, and first only once its keys have been published.
    changes.push({ kind: 'make', alg, sequence, activatedAt: now });
    sequence += 1;
  }
  for (const { key, state, activatesAt } of lives) {
    if (key.activatedAt === undefined && activatesAt !== undefined && activatesAt <= now) {
      changes.push({ kind: 'activate', key, at: activatesAt });
    }
    if (key.retiredAt !== undefined && state !== 'retiring') {
      // Its algorithm is back in SIGNING_ALGS. Better this key, which caches know, than a new one.
      changes.push({ kind: 'resume', key });
    }
  }
  // There is always a next key, also without automatic rotation: promoted by hand, in a hurry, it is in the caches already.
  if (!lives.some(({ state }) => state === 'next')) {
    changes.push({ kind: 'make', alg, sequence, activatedAt: undefined });
  }
  return changes;
}

function changesDropped<Key extends KeyDates>(lives: readonly KeyLife<Key>[], now: EpochSeconds): readonly KeyChange<Key>[] {
  return lives.filter(({ key }) => key.retiredAt === undefined).map(({ key }): KeyChange<Key> => ({ kind: 'retire', key, at: now }));
}

function removals<Key extends KeyDates>(lives: readonly KeyLife<Key>[], now: EpochSeconds): readonly KeyChange<Key>[] {
  return lives.filter(({ goneAt }) => goneAt !== undefined && goneAt <= now).map(({ key }): KeyChange<Key> => ({ kind: 'remove', key }));
}
