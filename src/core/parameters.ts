import { InvalidRequest } from './errors.ts';

/**
 * The parameters of one query string or form body (`application/x-www-form-urlencoded`), decoded once, at the edge.
 *
 * RFC 6749 section 3.1 and 3.2: a parameter without a value counts as absent, an unknown one is ignored, and none may come twice. A name
 * that did come twice reads as absent here and stands in `repeated`: an endpoint refuses it where it can say so properly.
 */
export interface Parameters {
  /** The value, or undefined when the parameter is absent, empty, or came more than once. */
  get(name: string): string | undefined;
  /** Every non-empty value of a parameter that a specification lets repeat (`resource`, RFC 8707 section 2). */
  all(name: string): readonly string[];
  /** The names that came more than once, in the order seen. */
  readonly repeated: readonly string[];
  /** The parameters as sent, decoded, in order. */
  readonly entries: readonly (readonly [name: string, value: string])[];
}

/**
 * @throws InvalidRequest on a broken percent escape, text that is not UTF-8, a NUL character (which PostgreSQL cannot hold), or far too many.
 */
export function parseParameters(encoded: string): Parameters {
  if (encoded === '') {
    return noParameters;
  }
  const entries: (readonly [string, string])[] = [];
  for (const pair of encoded.split('&')) {
    if (pair === '') {
      continue;
    }
    const equals = pair.indexOf('=');
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    if (entries.length === MOST_PARAMETERS) {
      throw new InvalidRequest(`A request has at most ${MOST_PARAMETERS} parameters.`);
    }
    entries.push([name, equals === -1 ? '' : decode(pair.slice(equals + 1))]);
  }
  return parametersOf(entries);
}

// Ten times what any specification asks for. Work done for a stranger before anything is known of them stays small.
const MOST_PARAMETERS = 256;

/** The same from pairs that are already decoded: a request object's claims, a stored request. */
export function parametersOf(entries: readonly (readonly [name: string, value: string])[]): Parameters {
  const values = new Map<string, string>();
  const repeated = new Set<string>();
  for (const [name, value] of entries) {
    if (values.has(name)) {
      repeated.add(name);
    } else {
      values.set(name, value);
    }
  }
  return {
    get: (name) => (repeated.has(name) ? undefined : values.get(name) || undefined),
    all: (name) => entries.filter(([key, value]) => key === name && value !== '').map(([, value]) => value),
    repeated: [...repeated],
    entries,
  };
}

/** A request without any. */
export const noParameters: Parameters = parametersOf([]);

/**
 * RFC 6749 section 3.2: "Request and response parameters MUST NOT be included more than once."
 * @throws InvalidRequest naming the first parameter that did, unless a specification lets it (`mayRepeat`).
 */
export function refuseRepeats(parameters: Parameters, mayRepeat: readonly string[] = []): void {
  const repeated = parameters.repeated.find((name) => !mayRepeat.includes(name));
  if (repeated !== undefined) {
    throw new InvalidRequest(`The parameter ${printable(repeated)} must not be sent more than once.`);
  }
}

/** @throws InvalidRequest when the parameter is absent. */
export function required(parameters: Parameters, name: string): string {
  const value = parameters.get(name);
  if (value === undefined) {
    throw new InvalidRequest(`The parameter ${name} is missing.`);
  }
  return value;
}

/** The name as RFC 6749 section 5.2 lets an `error_description` carry it: printable ASCII without quote and backslash, and short. */
function printable(name: string): string {
  return name.replace(/[^\x20-\x21\x23-\x5b\x5d-\x7e]/g, '?').slice(0, 40);
}

function decode(text: string): string {
  let decoded: string;
  try {
    // decodeURIComponent refuses both a broken escape and an escape that is not UTF-8.
    decoded = decodeURIComponent(text.includes('+') ? text.replaceAll('+', ' ') : text);
  } catch {
    throw new InvalidRequest('The parameters are not application/x-www-form-urlencoded text in UTF-8.');
  }
  if (decoded.includes('\0')) {
    throw new InvalidRequest('A parameter contains a NUL character.');
  }
  return decoded;
}
