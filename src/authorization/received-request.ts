import type { Client } from '../clients/client.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { InvalidRequest } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { parametersOf } from '../core/parameters.ts';
import type { DeferredRequest } from '../deferred-requests/deferred-request.ts';

/** An authorization request taken out of whatever form it came in, with nothing of it checked yet but that form. */
export interface ReceivedRequest {
  readonly parameters: Parameters;
  /** Whether the client signed them (RFC 9101). */
  readonly isSigned: boolean;
  /** The record of the pushed request they are from (RFC 9126); undefined: a browser brought them. */
  readonly pushedId: string | undefined;
  /** The request that its client polls for (RFC 8628, CIBA): no browser brings the answer back. Absent: one does. */
  readonly deferred?: DeferredRequest | undefined;
}

/** A way to send an authorization request other than as plain parameters: one file each. Its parameter names it. */
export interface RequestForm {
  readonly parameter: 'request' | 'request_uri';
  /**
   * The request that `value` holds or refers to. Nothing beside it counts (RFC 9101 section 6.3).
   * @param client whom the request's `client_id` names; not proven by it.
   * @throws InvalidRequestObject, InvalidRequestUri or RequestFormNotSupported.
   */
  open(value: string, client: Client, now: EpochSeconds): Promise<ReceivedRequest>;
}

/** A request as its parameters say it. */
export function plainRequest(parameters: Parameters): ReceivedRequest {
  return { parameters, isSigned: false, pushedId: undefined };
}

/** A request as its client left it here. */
export function receivedDeferred(deferred: DeferredRequest): ReceivedRequest {
  return { parameters: deferred.parameters, isSigned: deferred.isSigned === true, pushedId: undefined, deferred };
}

const AUTHENTICATION = ['client_id', 'client_secret', 'client_assertion', 'client_assertion_type'];

/**
 * What a client sent from itself, without what authenticates it: that is for this moment, and is not kept. Its `client_id` is the one that
 * authenticated, named or not.
 */
export function withoutAuthentication({ entries }: Parameters, clientId: string): Parameters {
  return parametersOf([['client_id', clientId], ...entries.filter(([name]) => !AUTHENTICATION.includes(name))]);
}

// After a login the request goes on in an address, signed and a third longer: what is begun must fit there beside the cookies.
const LONGEST_REQUEST_BYTES = 8 * 1024;

/** @throws InvalidRequest when the parameters cannot be taken through login and consent. */
export function refuseTooLong({ parameters: { entries } }: ReceivedRequest): void {
  if (Buffer.byteLength(JSON.stringify(entries)) > LONGEST_REQUEST_BYTES) {
    throw new InvalidRequest(`The authorization request must not be longer than ${LONGEST_REQUEST_BYTES} bytes.`);
  }
}
