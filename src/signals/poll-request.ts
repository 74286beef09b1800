import { InvalidRequest } from '../core/errors.ts';
import { type JsonMembers, optionalObject, optionalText, optionalTexts } from './json-members.ts';

/** RFC 8936 section 2.2. */
export interface PollRequest {
  /** How many events may come back; 0: none, it is only to acknowledge. */
  readonly maxEvents: number;
  /** Whether an answer without events is wanted at once. */
  readonly returnImmediately: boolean;
  /** Events that arrived. */
  readonly acknowledged: readonly string[];
  /** Events that arrived and are of no use (section 2.4.4). */
  readonly errors: readonly { readonly id: string; readonly err: string; readonly description: string | undefined }[];
}

/** Most events in one answer: it stays well below a megabyte. */
const MOST_EVENTS = 100;
/** Most acknowledgements in one request: as many as 64 kB hold. */
const MOST_ACKNOWLEDGED = 2000;

/** @throws InvalidRequest */
export function readPollRequest(members: JsonMembers): PollRequest {
  const { maxEvents = MOST_EVENTS, returnImmediately = false } = members;
  if (typeof maxEvents !== 'number' || !Number.isSafeInteger(maxEvents) || maxEvents < 0) {
    throw new InvalidRequest('The member maxEvents must be a whole number, 0 or more.');
  }
  if (typeof returnImmediately !== 'boolean') {
    throw new InvalidRequest('The member returnImmediately must be true or false.');
  }
  const errors = Object.entries(optionalObject(members, 'setErrs') ?? {});
  if (errors.length > MOST_ACKNOWLEDGED) {
    throw new InvalidRequest(`The member setErrs must have at most ${MOST_ACKNOWLEDGED} members.`);
  }
  return {
    maxEvents: Math.min(maxEvents, MOST_EVENTS),
    returnImmediately,
    acknowledged: optionalTexts(members, 'ack', MOST_ACKNOWLEDGED) ?? [],
    errors: errors.map(([id]) => {
      const error = optionalObject(optionalObject(members, 'setErrs') ?? {}, id) ?? {};
      return { id, err: optionalText(error, 'err', 100) ?? 'unknown', description: optionalText(error, 'description') };
    }),
  };
}
