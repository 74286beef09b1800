import type { Clock } from '../core/clock.ts';
import { type BoundedFetches, boundedFetches } from '../outbound/bounded-fetches.ts';
import { fetchJson } from '../outbound/json-document.ts';
import { ofStrangers, outbound } from '../outbound/outbound.ts';
import { readClientDocument } from './client-document.ts';
import type { ClientMetadata } from './client-metadata.ts';
import type { RegistrationLimits } from './client-metadata-rules.ts';
import type { DocumentDates } from './client-store.ts';
import { type SelfRegisteredPolicy, underPolicy } from './self-registered-policy.ts';

/** A client's document as it was fetched and read. */
export interface FetchedDocument {
  readonly metadata: ClientMetadata;
  readonly dates: DocumentDates;
}

/**
 * Fetches the document of a client.
 * @throws OutboundFailure when there is none, TooManyFetches when it was not looked for, InvalidClientMetadata when it is wrong.
 */
export type DocumentFetcher = (address: string) => Promise<FetchedDocument>;

/** Section 8.7: "The recommended maximum size to read is 5 kilobytes." */
const MOST_BYTES = 5 * 1024;
const DEADLINE_MILLISECONDS = 3000;
// Section 5.2: bounds of our own. Where nothing is said it counts for five minutes.
const FRESH_AT_LEAST_SECONDS = 60;
const FRESH_BY_DEFAULT_SECONDS = 300;
const FRESH_AT_MOST_SECONDS = 86_400;

/** @param rooms.send as `outbound` makes it; `fetches` bounds what is under way: by default for all clients of the process. */
export function documentFetcher(rooms: {
  readonly limits: RegistrationLimits;
  readonly policy: SelfRegisteredPolicy;
  readonly clock: Clock;
  readonly send?: ReturnType<typeof outbound>;
  readonly fetches?: BoundedFetches;
}): DocumentFetcher {
  const { limits, policy, clock } = rooms;
  const { fetches = boundedFetches({ most: 20, mostOfHost: 4 }) } = rooms;
  const send = ofStrangers(
    rooms.send ??
      outbound({ privateAddresses: limits.privateAddresses, mostBytes: MOST_BYTES, deadlineMilliseconds: DEADLINE_MILLISECONDS }),
  );

  return async (address) => {
    const { value, maxAgeSeconds = FRESH_BY_DEFAULT_SECONDS } = await fetches(new URL(address).host, () =>
      fetchJson(send, address, ACCEPT),
    );
    const fetchedAt = clock.now();
    const freshSeconds = Math.min(Math.max(maxAgeSeconds, FRESH_AT_LEAST_SECONDS), FRESH_AT_MOST_SECONDS);
    const metadata = underPolicy(readClientDocument(address, value, limits, policy), policy);
    return { metadata, dates: { fetchedAt, freshUntil: fetchedAt + freshSeconds } };
  };
}

// Says what is wanted, so that a server which has something else there can say no.
const ACCEPT = 'application/cimd+json, application/json';
