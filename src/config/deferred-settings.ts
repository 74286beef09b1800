import { durationBetween } from './duration.ts';
import type { Setting } from './setting.ts';
import { wholeNumberBetween } from './whole-number.ts';

/** Settings of requests that a client waits on while a user decides elsewhere. */
export const deferredSettings = {
  DEVICE_CODE_TTL: {
    name: 'DEVICE_CODE_TTL',
    default: '10m',
    meaning: 'How long a user has to enter the code that a device shows and to allow or deny it (RFC 8628), 1m to 30m',
    // Long enough to find a telephone and log in; RFC 10027 wants it short.
    parse: durationBetween(60, 1800),
  },
  DEVICE_POLL_INTERVAL: {
    name: 'DEVICE_POLL_INTERVAL',
    default: '5s',
    meaning: 'How long a device waits from one look for the decision to the next, 1s to 60s',
    parse: durationBetween(1, 60),
  },
  CIBA_REQUEST_TTL: {
    name: 'CIBA_REQUEST_TTL',
    default: '10m',
    meaning: 'How long a user has to allow or deny a backchannel authentication request (CIBA), 30s to 30m; a client may ask for less',
    parse: durationBetween(30, 1800),
  },
  CIBA_POLL_INTERVAL: {
    name: 'CIBA_POLL_INTERVAL',
    default: '5s',
    meaning: 'How long a client waits from one look for the decision on a backchannel authentication request to the next, 1s to 60s',
    parse: durationBetween(1, 60),
  },
  CIBA_REQUESTS_PER_USER: {
    name: 'CIBA_REQUESTS_PER_USER',
    default: '3',
    meaning: 'How many backchannel authentication requests of one client may wait for one user at once, 1 to 20; more are answered 429',
    parse: wholeNumberBetween(1, 20),
  },
  DEFERRED_REQUESTS_PER_CLIENT: {
    name: 'DEFERRED_REQUESTS_PER_CLIENT',
    default: '10000',
    meaning: 'How many requests of one client may wait for a user at once, 1 to 1000000; whatever comes beyond is answered 429',
    parse: wholeNumberBetween(1, 1_000_000),
  },
} satisfies Record<string, Setting<unknown>>;
