import type { PushedRequests } from '../authorization/pushed-requests.ts';
import type { ReceivedRequest } from '../authorization/received-request.ts';
import { receivedDeferred } from '../authorization/received-request.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { InvalidRequest, InvalidRequestUri } from '../core/errors.ts';
import { parametersOf } from '../core/parameters.ts';
import type { DeferredKind, DeferredRequests } from '../deferred-requests/deferred-request.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { mintBytes, proveBytes } from '../tokens/authenticated-bytes.ts';

/**
 * An authorization request on its way through login and consent. It travels with the browser, signed, in forms and redirects: a visit to
 * `/authorize` adds nothing to the database, so that nobody can fill it with beginnings. It grants nothing either: every step begins with the
 * request's rules again. It holds the parameters themselves, so that a login may take longer than a request object lives; but of what was
 * pushed or is deferred the identifier alone, for that is between client and server (RFC 9126 section 1: "confidentiality"), and no browser, history or
 * log of a proxy need ever see it.
 */
export interface PendingRequest extends ReceivedRequest {
  readonly startedAt: EpochSeconds;
  /**
   * The session the browser had when the request began, '' for none: a login that the request asks for must have made another one.
   * undefined: the browser has not been looked at yet.
   */
  readonly sessionAtStart: string | undefined;
  /** How the user got to a deferred request; undefined: not by a code. */
  readonly entry?: CodeEntry | undefined;
}

/** A user code that was typed. */
export interface CodeEntry {
  /** As the device shows it, to be shown beside what is asked for. */
  readonly userCode: string;
  /**
   * The browser it was typed in (`Forms.browserTag`). The request goes on in no other: whoever types a code of their own must not be able to send
   * somebody else a link to the page behind it.
   */
  readonly browser: string;
}

/** Signs pending requests, and reads them back. */
export interface PendingRequests {
  sign(pending: PendingRequest): string;
  /**
   * @returns undefined when the text was not signed here, or too long ago.
   * @throws InvalidRequestUri when the pushed request it stands for has been answered; InvalidRequest when a deferred one has, is too old, or
   *   is of a feature that was turned off since.
   */
  open(text: string, now: EpochSeconds): Promise<PendingRequest | undefined>;
}

// Another name than that of the form before this one, which held what was pushed.
const DOMAIN = 'keyturn pending authorization request 2';
/** How long a request may be on its way: enough to find a password; the client's own state seldom lives longer. */
export const PENDING_REQUEST_SECONDS = 3600;

/** @param rooms.isOn whether clients can ask in that way: nobody decides for one that could not come for the answer. */
export function pendingRequests(rooms: {
  readonly secrets: ServerSecrets;
  readonly pushedRequests: Pick<PushedRequests, 'findUnused'>;
  readonly deferredRequests: Pick<DeferredRequests, 'findOpen'>;
  readonly isOn: (kind: DeferredKind) => boolean;
}): PendingRequests {
  const { secrets, pushedRequests, deferredRequests, isOn } = rooms;
  return {
    sign({ parameters, isSigned, pushedId, deferred, entry, startedAt, sessionAtStart }) {
      const request = deferred === undefined ? (pushedId ?? ([parameters.entries, isSigned] as const)) : { deferred: deferred.id, entry };
      const values: Signed = [startedAt, sessionAtStart ?? null, request];
      return mintBytes(secrets, DOMAIN, Buffer.from(JSON.stringify(values)));
    },
    async open(text, now) {
      const proven = proveBytes(secrets, DOMAIN, text);
      if (proven === undefined) {
        return undefined;
      }
      // Proven bytes are our own: their shape is what `sign` gave them.
      const [startedAt, sessionAtStart, request] = JSON.parse(proven.toString()) as Signed;
      return now >= startedAt + PENDING_REQUEST_SECONDS
        ? undefined
        : { ...(await received(request, now)), startedAt, sessionAtStart: sessionAtStart ?? undefined };
    },
  };

  async function received(request: Signed[2], now: EpochSeconds): Promise<ReceivedRequest & Pick<PendingRequest, 'entry'>> {
    if (typeof request === 'object' && 'deferred' in request) {
      const deferred = await deferredRequests.findOpen(request.deferred, now);
      if (deferred === undefined || !isOn(deferred.kind)) {
        throw new InvalidRequest('The request was answered before, or is too old: begin again where you started it.');
      }
      return { ...receivedDeferred(deferred), entry: request.entry };
    }
    if (typeof request !== 'string') {
      const [entries, isSigned] = request;
      return { parameters: parametersOf(entries), isSigned, pushedId: undefined };
    }
    const pushed = await pushedRequests.findUnused(request);
    if (pushed === undefined) {
      throw new InvalidRequestUri('The pushed request was answered before, or is gone: begin again.');
    }
    return { parameters: pushed.parameters, isSigned: pushed.isSigned, pushedId: pushed.id };
  }
}

type Signed = readonly [
  startedAt: EpochSeconds,
  sessionAtStart: string | null,
  request:
    | string
    | { readonly deferred: string; readonly entry?: CodeEntry | undefined }
    | readonly [entries: readonly (readonly [string, string])[], isSigned: boolean],
];
