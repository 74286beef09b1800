import type { RateLimit } from './rate-limiter.ts';

/** What is counted, each by its own key. Far above what honest use comes to, an office behind one address included. */
export const LIMITS = {
  /** Requests of browsers for pages, by address, before anything else is done with them: a login takes about five. */
  page: { name: 'page', burst: 600, perSecond: 20 },
  /** Requests of clients that name themselves and prove nothing, by address: a name that everybody knows must not be a key. */
  publicClient: { name: 'public-client', burst: 600, perSecond: 20 },
  /** Requests of a client that proved itself: more than a process can do, and there to end what has run wild. */
  client: { name: 'client', burst: 30_000, perSecond: 10_000 },
  /** Codes and claims about one user. */
  user: { name: 'user', burst: 150, perSecond: 5 },
  /** Requests for a user's decision of clients that prove nothing, by address: each is kept, and counts against what is kept of its client. */
  deferredRequest: { name: 'deferred-request', burst: 60, perSecond: 10 / 60 },
  /**
   * Pushed requests of clients that prove nothing, by address: each is kept for as long as PUSHED_REQUEST_TTL, and counts against what is kept of its
   * client, so that one address could keep all others from pushing.
   */
  pushedRequest: { name: 'pushed-request', burst: 60, perSecond: 1 },
  /** Documents of clients that are fetched for requests of one address: what is known already is not counted. */
  document: { name: 'client-documents', burst: 30, perSecond: 30 / 60 },
  /** Backchannel authentication requests of one client to one user: so often that somebody who denies is soon left in peace. */
  askedUser: { name: 'asked-user', burst: 10, perSecond: 1 / 60 },
  /** Those of one client for a user that there is not. */
  unknownUser: { name: 'unknown-user', burst: 60, perSecond: 10 / 60 },
  /** Clients that are registered, changed and deleted by themselves, by address. */
  registration: { name: 'registration', burst: 60, perSecond: 0.5 },
  /** Clients that are registered with one initial access token. */
  registrationToken: { name: 'registration-token', burst: 100, perSecond: 1 },
  /** Wrong proofs of one client from one address. */
  guessAtClient: { name: 'client-authentication', burst: 10, perSecond: 10 / 60 },
  /** Wrong proofs of any clients from one address. */
  guess: { name: 'client-authentications', burst: 50, perSecond: 30 / 60 },
} as const satisfies Record<string, RateLimit>;

export type LimitName = keyof typeof LIMITS;
