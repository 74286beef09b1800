import fc from 'fast-check';

/** How long a client may repeat itself. */
export const GRACE_SECONDS = 10;

/**
 * What happens to a grant.
 *
 * An honest client here is one that waits for what it sent (or for its end) before it uses what it was given, and that repeats a request
 * that got no answer within the grace period. Outside of that a repeated token cannot be told from a stolen one, and ends the grant
 * (RFC 9700 section 4.14.2).
 */
export type Step =
  /** Presents its token, `answers.length` times at the same moment. Of each answer it is said whether it arrives. */
  | {
      readonly kind: 'use';
      readonly answers: readonly boolean[];
      readonly crashes: number;
      readonly pause: number;
      readonly revoked: boolean;
    }
  | { readonly kind: 'wait'; readonly seconds: number }
  /** Sends the request again that was answered last, if that was within the grace period. */
  | { readonly kind: 'repeat' }
  /** The database is replaced by a backup, some rotations old. */
  | { readonly kind: 'restore'; readonly back: number }
  /**
   * Somebody presents an older token while the client presents its own: `older` than the one before the live one; or, with -1, that very one,
   * where its grace period is over.
   */
  | { readonly kind: 'steal'; readonly older: number };

/** Stories of up to twenty steps. */
export const stories: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('use' as const),
        answers: fc.array(fc.boolean(), { minLength: 1, maxLength: 3 }),
        crashes: fc.integer({ min: 0, max: 2 }),
        pause: fc.integer({ min: 0, max: 3 }),
        revoked: fc.integer({ min: 0, max: 19 }).map((value) => value === 19),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 0, max: 30 }) }) },
    { weight: 3, arbitrary: fc.constant({ kind: 'repeat' as const }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restore' as const), back: fc.integer({ min: 1, max: 4 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('steal' as const), older: fc.integer({ min: -1, max: 3 }) }) },
  ),
  { minLength: 1, maxLength: 20 },
);
