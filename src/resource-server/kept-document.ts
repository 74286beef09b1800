import type { Time } from './time.ts';

/** A document of the issuer that is fetched when it is needed, kept, and fetched again before it is too old. */
export interface KeptDocument<T> {
  /** @throws Unavailable when there is none that may still be used. */
  get(): Promise<T>;
  /** Fetches it again, unless that was done or tried within `cooldownSeconds`. @returns whether there is a newer one than before. */
  renew(cooldownSeconds: number): Promise<boolean>;
  /** The document there is, without waiting; undefined: none. */
  peek(): T | undefined;
}

export interface KeptDocumentOptions<T> {
  fetch(): Promise<T>;
  /** How long a document is as good as new, in seconds. */
  freshSeconds(document: T): number;
  /** How long it may be used while it cannot be fetched, in seconds from when it was known to be right. */
  usableSeconds: number;
  /** When a document was last known to be right, in `elapsedSeconds`, if something else than its fetch tells; absent: nothing does. */
  knownAt?(document: T): number;
  /** `renew`: whoever finds it no longer fresh waits for the next one. `use`: they get what there is, and the next one is fetched meanwhile. */
  whenNotFresh: 'renew' | 'use';
  time: Time;
  /** Told of each fetch that failed. */
  onFailure(error: unknown): void;
}

/** The issuer did not answer, or not with what it should, and what is kept is too old or not there. */
export class Unavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'Unavailable';
  }
}

// A fetch that failed is not tried again for each request that comes.
const RETRY_SECONDS = 1;
// The last part of its freshness is when the next one is fetched in the background, so that on a busy server nobody waits.
const PREFETCH_SHARE = 0.75;

export function keptDocument<T>(options: KeptDocumentOptions<T>): KeptDocument<T> {
  const { time } = options;
  let kept: { readonly document: T; readonly fetchedAt: number } | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  let underway: Promise<void> | undefined;

  /** Never rejects: what came of it is in `kept`. */
  function load(): Promise<void> {
    underway ??= fetchOnce().finally(() => {
      underway = undefined;
    });
    return underway;
  }

  async function fetchOnce(): Promise<void> {
    // From before it was asked for: what happened meanwhile may not be in it.
    const fetchedAt = time.elapsedSeconds();
    triedAt = fetchedAt;
    try {
      kept = { document: await options.fetch(), fetchedAt };
    } catch (error) {
      failedAt = time.elapsedSeconds();
      options.onFailure(error);
    }
  }

  function ageOf(known: typeof kept): number {
    return known === undefined
      ? Number.POSITIVE_INFINITY
      : time.elapsedSeconds() - Math.max(known.fetchedAt, options.knownAt?.(known.document) ?? known.fetchedAt);
  }

  function mayTry(): boolean {
    return underway !== undefined || time.elapsedSeconds() - failedAt >= RETRY_SECONDS;
  }

  return {
    async get() {
      const age = ageOf(kept);
      const fresh = kept === undefined ? 0 : options.freshSeconds(kept.document);
      if (kept !== undefined && (age <= fresh || (options.whenNotFresh === 'use' && age <= options.usableSeconds))) {
        if (age > fresh * PREFETCH_SHARE && mayTry()) {
          void load();
        }
        return kept.document;
      }
      if (mayTry()) {
        await load();
      }
      if (kept !== undefined && ageOf(kept) <= Math.max(options.usableSeconds, options.freshSeconds(kept.document))) {
        return kept.document;
      }
      throw new Unavailable('The document could not be fetched, and none that may still be used is kept.');
    },
    async renew(cooldownSeconds) {
      const before = kept;
      if (underway !== undefined || time.elapsedSeconds() - triedAt >= cooldownSeconds) {
        await load();
      }
      return kept !== before;
    },
    peek: () => kept?.document,
  };
}
