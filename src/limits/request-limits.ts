import type { AuditTrail } from '../core/audit.ts';
import type { Clock } from '../core/clock.ts';
import { type ClientGuesses, clientGuesses } from './client-guesses.ts';
import { LIMITS, type LimitName } from './limits.ts';
import { networkOf } from './network.ts';
import { type RateLimitFields, rateLimitFields } from './rate-limit-fields.ts';
import { type Allowance, createRateLimiter, type RateLimiter, type Use } from './rate-limiter.ts';
import type { SharedRates } from './shared-rates.ts';
import { TooManyRequests } from './too-many-requests.ts';

/** A request as far as limits look at it. The same object from its start to its answer. */
export interface CountedRequest {
  readonly remoteAddress: string;
  readonly requestId: string;
}

/** Counts requests (RATE_LIMITS). Each method throws TooManyRequests where the limit is spent. */
export interface RequestLimits {
  /** A browser's request for a page, by its address. */
  page(request: CountedRequest): void;
  /** A request of a client that only named itself, by its address. */
  publicClient(request: CountedRequest): void;
  /** A request for a user's decision, of a client that only named itself, by its address. */
  deferredRequest(request: CountedRequest): void;
  /** A pushed request of a client that only named itself, by its address. */
  pushedRequest(request: CountedRequest): void;
  /** A request of a client that proved itself. */
  client(clientId: string, request: CountedRequest): void;
  /** A request for which the document of a client is fetched, by its address. */
  document(request: CountedRequest): void;
  /** A request that is about a user. */
  user(userId: string, request: CountedRequest): void;
  /** A request of a client that asks a user (CIBA). */
  askedUser(clientId: string, userId: string, request: CountedRequest): void;
  /** Whether a client may still ask whom a hint names: one that has named too many who are not there is not told. Counts nothing. */
  userHint(clientId: string, request: CountedRequest): void;
  /** A hint of a client that names nobody. */
  unknownUser(clientId: string, request: CountedRequest): void;
  /** A request to register a client, or to change one by its registration access token, by its address. */
  registration(request: CountedRequest): void;
  /** A registration with an initial access token. */
  registrationToken(tokenId: string, request: CountedRequest): void;
  /** Proofs of clients. */
  readonly guesses: ClientGuesses;
  /** What the answer to a request says of what it was counted as last; undefined: it was not counted. */
  fieldsOf(request: CountedRequest): RateLimitFields | undefined;
  /** Tells the other processes what was counted here, and learns what was counted there. @throws StorageUnavailable: nothing is forgotten. */
  share(rates: SharedRates): Promise<void>;
}

/** With RATE_LIMITS=off. */
export const noLimits: RequestLimits = {
  page: () => undefined,
  publicClient: () => undefined,
  deferredRequest: () => undefined,
  pushedRequest: () => undefined,
  client: () => undefined,
  document: () => undefined,
  user: () => undefined,
  askedUser: () => undefined,
  userHint: () => undefined,
  unknownUser: () => undefined,
  registration: () => undefined,
  registrationToken: () => undefined,
  guesses: { admit: () => undefined, proved: () => undefined, failed: () => undefined },
  fieldsOf: () => undefined,
  share: async () => undefined,
};

/** Keys of one limit that are told to the others in one go; what is more waits for the next. */
const MOST_TOLD = 500;

/** The limits of this process. @param rooms `limits`: those of limits.ts unless given. */
export function requestLimits(rooms: {
  readonly clock: Clock;
  readonly audit: AuditTrail;
  readonly limits?: Readonly<Record<LimitName, { readonly name: string; readonly burst: number; readonly perSecond: number }>>;
}): RequestLimits {
  const { clock, audit, limits = LIMITS } = rooms;
  const page = createRateLimiter(limits.page, clock);
  const publicClient = createRateLimiter(limits.publicClient, clock);
  const deferredRequest = createRateLimiter(limits.deferredRequest, clock);
  const pushedRequest = createRateLimiter(limits.pushedRequest, clock);
  const client = createRateLimiter(limits.client, clock);
  const user = createRateLimiter(limits.user, clock);
  const document = createRateLimiter(limits.document, clock);
  const askedUser = createRateLimiter(limits.askedUser, clock);
  const unknownUser = createRateLimiter(limits.unknownUser, clock);
  const registration = createRateLimiter(limits.registration, clock);
  const registrationToken = createRateLimiter(limits.registrationToken, clock);
  const atClient = createRateLimiter(limits.guessAtClient, clock);
  const atAddress = createRateLimiter(limits.guess, clock);
  const all: readonly RateLimiter[] = [
    page,
    publicClient,
    deferredRequest,
    pushedRequest,
    client,
    user,
    document,
    askedUser,
    unknownUser,
    registration,
    registrationToken,
    atClient,
    atAddress,
  ];
  const counted = new WeakMap<CountedRequest, Allowance>();

  function count(limiter: RateLimiter, key: string, request: CountedRequest, who: Readonly<Record<string, string>>): void {
    const allowance = limiter.take(key);
    if (allowance.admitted) {
      counted.set(request, allowance);
      return;
    }
    if (allowance.isNews) {
      const { remoteAddress, requestId } = request;
      audit.record('rate_limited', { limit: allowance.limit.name, ...who, remoteAddress, requestId });
    }
    throw new TooManyRequests(allowance);
  }

  return {
    page: (request) => count(page, networkOf(request.remoteAddress), request, NOBODY),
    publicClient: (request) => count(publicClient, networkOf(request.remoteAddress), request, NOBODY),
    deferredRequest: (request) => count(deferredRequest, networkOf(request.remoteAddress), request, NOBODY),
    pushedRequest: (request) => count(pushedRequest, networkOf(request.remoteAddress), request, NOBODY),
    client(clientId, request) {
      count(client, clientId, request, { clientId });
    },
    document: (request) => count(document, networkOf(request.remoteAddress), request, NOBODY),
    user(userId, request) {
      count(user, userId, request, { userId });
    },
    askedUser(clientId, userId, request) {
      count(askedUser, `${clientId} ${userId}`, request, { clientId, userId });
    },
    userHint(clientId, request) {
      // One that is spent takes nothing more, and refuses.
      if (unknownUser.wait(clientId) > 0) {
        count(unknownUser, clientId, request, { clientId });
      }
    },
    unknownUser(clientId, request) {
      count(unknownUser, clientId, request, { clientId });
    },
    registration: (request) => count(registration, networkOf(request.remoteAddress), request, NOBODY),
    registrationToken(tokenId, request) {
      count(registrationToken, tokenId, request, { tokenId });
    },
    guesses: clientGuesses({ atClient, atAddress, audit }),
    fieldsOf(request) {
      const allowance = counted.get(request);
      return allowance === undefined ? undefined : rateLimitFields(allowance);
    },
    async share(rates) {
      const uses: readonly Use[] = all.flatMap((limiter) => limiter.unshared(MOST_TOLD));
      if (uses.length === 0) {
        return;
      }
      try {
        const spent = await rates.add(uses, clock.now());
        all.forEach((limiter) => limiter.learn(spent));
      } catch (error) {
        all.forEach((limiter) => limiter.putBack(uses));
        throw error;
      }
    },
  };
}

const NOBODY = Object.freeze({});
