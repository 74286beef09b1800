import type { ReceivedRequest } from '../authorization/received-request.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { parametersOf } from '../core/parameters.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { mintBytes, proveBytes } from '../tokens/authenticated-bytes.ts';

/**
 * An authorization request on its way through login and consent. It travels with the browser, signed, in forms and redirects: a visit to
 * `/authorize` writes nothing, so that nobody can fill the database with beginnings. It grants nothing either: every step begins with the
 * request's rules again. It holds the parameters themselves, also those that were pushed or signed, so that a login may take longer than those
 * references live.
 */
export interface PendingRequest extends ReceivedRequest {
  readonly startedAt: EpochSeconds;
  /**
   * The session the browser had when the request began, '' for none: a login that the request asks for must have made another one.
   * undefined: the browser has not been looked at yet.
   */
  readonly sessionAtStart: string | undefined;
}

/** Signs pending requests, and reads them back. */
export interface PendingRequests {
  sign(pending: PendingRequest): string;
  /** @returns undefined when the text was not signed here, or too long ago. */
  open(text: string, now: EpochSeconds): PendingRequest | undefined;
}

const DOMAIN = 'keyturn pending authorization request';
/** How long a request may be on its way: enough to find a password; the client's own state seldom lives longer. */
export const PENDING_REQUEST_SECONDS = 3600;

export function pendingRequests(secrets: ServerSecrets): PendingRequests {
  return {
    sign({ parameters, isSigned, pushedId, startedAt, sessionAtStart }) {
      const values: Signed = [startedAt, sessionAtStart ?? null, parameters.entries, isSigned, pushedId ?? null];
      return mintBytes(secrets, DOMAIN, Buffer.from(JSON.stringify(values)));
    },
    open(text, now) {
      const proven = proveBytes(secrets, DOMAIN, text);
      if (proven === undefined) {
        return undefined;
      }
      // Proven bytes are our own: their shape is what `sign` gave them.
      const [startedAt, sessionAtStart, entries, isSigned, pushedId] = JSON.parse(proven.toString()) as Signed;
      return now >= startedAt + PENDING_REQUEST_SECONDS
        ? undefined
        : {
            parameters: parametersOf(entries),
            isSigned,
            pushedId: pushedId ?? undefined,
            startedAt,
            sessionAtStart: sessionAtStart ?? undefined,
          };
    },
  };
}

type Signed = readonly [
  startedAt: EpochSeconds,
  sessionAtStart: string | null,
  entries: readonly (readonly [string, string])[],
  isSigned: boolean,
  pushedId: string | null,
];
