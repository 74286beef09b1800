import { type JWTVerifyGetKey, jwtVerify } from 'jose';
import { dateOf } from '../core/clock.ts';
import { announcedRevocations } from './announced-revocations.ts';
import { type FetchText, refuseInsecure } from './fetched-text.ts';
import { type KeptDocument, keptDocument, Unavailable } from './kept-document.ts';
import { invalidToken } from './refusal.ts';
import { decodeStatusList, type StatusList } from './status-list.ts';
import type { Time } from './time.ts';

/** What a resource server goes by while it cannot find out whether tokens were revoked. */
export interface StalenessPolicy {
  /** How old what it knows may be, in seconds: a token that was revoked is let in no longer than this (or the list's `ttl`, if that is longer). */
  readonly boundSeconds: number;
  /** What happens beyond: `refuse` answers 503 until the list is there again (fail closed), `accept` goes by what it knew last (fail open). */
  readonly beyond: 'refuse' | 'accept';
}

/** The status lists that tokens name (draft-ietf-oauth-status-list). */
export interface StatusLists {
  /**
   * @param status the token's claim of that name. @throws Refusal when the token was revoked or its claim is wrong.
   * @throws Unavailable when that cannot be found out and the policy is to refuse.
   */
  check(status: unknown): Promise<void>;
  /** The issuer said so (see `status-events.ts`). `indices` undefined: whatever is in the list may have changed. */
  announce(uri: string, indices: readonly number[] | undefined): void;
  /** Everything may have changed. */
  announceAll(): void;
}

export interface StatusListsOptions {
  readonly issuerKey: JWTVerifyGetKey;
  readonly algorithms: readonly string[];
  readonly clockToleranceSeconds: number;
  readonly fetchText: FetchText;
  readonly policy: StalenessPolicy;
  /** Whether the issuer tells of changes at this moment, so that lists need not be fetched to find out. */
  readonly isListening: () => boolean;
  /** When it was last heard, on this connection or the one before, in `elapsedSeconds`; -Infinity: never. */
  readonly lastHeardAt: () => number;
  readonly time: Time;
  readonly onFailure: (error: unknown) => void;
}

// Where a list has no ttl, its issuer does not mind; one that is fetched for each request would be no list.
const TTL_SECONDS = { least: 1, unsaid: 60, most: 3600 };
// While the issuer tells of changes: a list is fetched all the same now and then, in case it forgot one.
const LISTENING_SECONDS = 300;
const MOST_LISTS = 1000;
const INVALID = 1;
const SUSPENDED = 2;

interface List {
  readonly list: StatusList;
  readonly ttlSeconds: number;
  /** In seconds since 1970. In the future it means nothing more than now, so that no list of a wrong clock stays for ever. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** `elapsedSeconds` when it was asked for. */
  readonly askedAt: number;
}

export function statusLists(options: StatusListsOptions): StatusLists {
  const { policy, time } = options;
  const lists = new Map<string, KeptDocument<List>>();
  const announced = announcedRevocations(time);
  let allChangedAt = Number.NEGATIVE_INFINITY;

  function listAt(uri: string): KeptDocument<List> {
    const known = lists.get(uri);
    if (known !== undefined) {
      return known;
    }
    refuseUnsafe(uri);
    const [oldest] = lists.keys();
    if (lists.size >= MOST_LISTS && oldest !== undefined) {
      lists.delete(oldest);
    }
    const list = keptList(uri);
    lists.set(uri, list);
    return list;
  }

  function keptList(uri: string): KeptDocument<List> {
    const document: KeptDocument<List> = keptDocument<List>({
      async fetch() {
        const fetched = await fetchList(uri, options);
        const before = document.peek();
        // A cache between that has an older copy tells nothing new, and takes no revocation back.
        return before !== undefined && fetched.issuedAt < before.issuedAt ? { ...before, askedAt: fetched.askedAt } : fetched;
      },
      freshSeconds({ askedAt, ttlSeconds, expiresAt }) {
        if (isOver(expiresAt)) {
          return Number.NEGATIVE_INFINITY;
        }
        const changedAt = Math.max(allChangedAt, announced.unspecifiedAt(uri));
        if (askedAt <= changedAt) {
          return Number.NEGATIVE_INFINITY;
        }
        const isOld = time.elapsedSeconds() - askedAt > Math.max(LISTENING_SECONDS, ttlSeconds);
        return options.isListening() && !isOld ? Number.POSITIVE_INFINITY : ttlSeconds;
      },
      knownAt: ({ askedAt }) => knownAt(askedAt, announced.unspecifiedAt(uri)),
      usableSeconds: policy.beyond === 'accept' ? Number.POSITIVE_INFINITY : policy.boundSeconds,
      whenNotFresh: 'renew',
      time,
      onFailure: options.onFailure,
    });
    return document;
  }

  function isOver(expiresAt: number): boolean {
    return time.epochSeconds() >= expiresAt + options.clockToleranceSeconds;
  }

  /** What was told since the list was fetched is known: it is as new as the last word of the issuer, or was until it said that it is not. */
  function knownAt(askedAt: number, changedAt: number): number {
    if (askedAt <= allChangedAt) {
      return askedAt;
    }
    return changedAt >= askedAt ? changedAt : options.lastHeardAt();
  }

  return {
    async check(status) {
      const { uri, idx } = referenceOf(status);
      if (announced.has(uri, idx)) {
        throw invalidToken('its issuer announced that it was revoked');
      }
      const found = await listAt(uri)
        .get()
        .catch((error: unknown) => {
          if (error instanceof Unavailable && policy.beyond === 'accept') {
            return undefined;
          }
          throw error;
        });
      if (found === undefined) {
        return;
      }
      if (isOver(found.expiresAt) && policy.beyond === 'refuse') {
        // Section 8.3: an expired list is none, also where it was good when it came.
        throw new Unavailable(`The list ${uri} has expired, and no newer one can be had.`);
      }
      announced.settle(uri, found.askedAt);
      const value = found.list.at(idx);
      if (value === undefined) {
        // Section 8.3: "the Referenced Token ... MUST be rejected".
        throw invalidToken(`its index ${idx} is not in the list ${uri}`);
      }
      if (value !== 0) {
        throw invalidToken(value === INVALID ? 'it was revoked' : value === SUSPENDED ? 'it is suspended' : `its status is ${value}`);
      }
    },
    announce: (uri, indices) => announced.add(uri, indices),
    announceAll() {
      allChangedAt = time.elapsedSeconds();
    },
  };
}

/** Section 6.1: the `status` claim of the token. */
function referenceOf(status: unknown): { readonly uri: string; readonly idx: number } {
  const reference: unknown = typeof status === 'object' && status !== null ? (status as { status_list?: unknown }).status_list : undefined;
  const { uri, idx } = typeof reference === 'object' && reference !== null ? (reference as { uri?: unknown; idx?: unknown }) : {};
  if (typeof uri !== 'string' || typeof idx !== 'number' || !Number.isSafeInteger(idx) || idx < 0) {
    throw invalidToken('its status claim names no entry of a status list');
  }
  return { uri, idx };
}

function refuseUnsafe(uri: string): void {
  try {
    refuseInsecure(uri);
  } catch {
    throw invalidToken('its status list is neither at an https address nor on this machine');
  }
}

/** Sections 5.1 and 8.3: the checks of a list token before anything in it is believed. */
async function fetchList(uri: string, options: StatusListsOptions): Promise<List> {
  const askedAt = options.time.elapsedSeconds();
  const token = await options.fetchText(uri, 'application/statuslist+jwt');
  const { payload } = await jwtVerify(token.trim(), options.issuerKey, {
    typ: 'statuslist+jwt',
    algorithms: [...options.algorithms],
    // "The sub claim MUST be equal to the uri": another list of the issuer says nothing about this token.
    subject: uri,
    requiredClaims: ['iat', 'status_list'],
    clockTolerance: options.clockToleranceSeconds,
    currentDate: dateOf(options.time.epochSeconds()),
  });
  const { ttl, iat = 0, exp: expiresAt = Number.POSITIVE_INFINITY } = payload;
  const issuedAt = Math.min(iat, options.time.epochSeconds());
  const ttlSeconds = typeof ttl === 'number' && ttl > 0 ? Math.min(Math.max(ttl, TTL_SECONDS.least), TTL_SECONDS.most) : TTL_SECONDS.unsaid;
  return { list: await decodeStatusList(payload['status_list']), ttlSeconds, issuedAt, expiresAt, askedAt };
}
