import { InvalidRequest, TemporarilyUnavailable } from '../core/errors.ts';
import { TooManyFetches } from '../outbound/bounded-fetches.ts';
import { OutboundFailure } from '../outbound/outbound.ts';
import { InvalidClientMetadata } from './client-metadata-rules.ts';

/**
 * What the sender is told when a client's document is not there or no good; undefined for a bug or an outage. What is wrong with the document
 * anybody can read there; of the network nobody learns anything.
 */
export function documentRefusal(error: unknown): InvalidRequest | TemporarilyUnavailable | undefined {
  if (error instanceof InvalidClientMetadata) {
    return new InvalidRequest(`The document at the client_id cannot be used: ${error.message}`);
  }
  if (error instanceof OutboundFailure) {
    return new InvalidRequest(
      'The document at the client_id could not be fetched: it must be JSON, at most 5 kB, at a public address, and no redirect.',
      error.message,
    );
  }
  return error instanceof TooManyFetches
    ? new TemporarilyUnavailable('Too many clients are being looked at: try again.', error.message)
    : undefined;
}

/** While a document is left alone that could not be used a moment ago. */
export function documentPause(seconds: number): TemporarilyUnavailable {
  return new TemporarilyUnavailable(
    "The document at the client_id could not be used a moment ago: try again in a few seconds. If it stays so, tell the application's developers.",
    undefined,
    seconds,
  );
}
