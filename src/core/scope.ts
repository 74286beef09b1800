import { InvalidScope } from './errors.ts';

/** A set of scope values in the order they were first named, without repeats. */
export type Scope = readonly string[];

// RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E )
const SCOPE_TOKEN = /^[\x21\x23-\x5b\x5d-\x7e]+$/;

/**
 * Reads a space-delimited scope (RFC 6749 section 3.3).
 * @throws InvalidScope when a character is outside the grammar.
 */
export function parseScope(text: string): Scope {
  const tokens = new Set(text.split(' ').filter((token) => token !== ''));
  if (tokens.size === 0 && text !== '') {
    throw new InvalidScope('The scope is blank.');
  }
  for (const token of tokens) {
    if (!SCOPE_TOKEN.test(token)) {
      throw new InvalidScope('The scope contains a character that RFC 6749 section 3.3 does not allow.');
    }
  }
  return [...tokens];
}

export function formatScope(scope: Scope): string {
  return scope.join(' ');
}

/** Whether every value of `part` is in `whole`. */
export function isWithin(part: Scope, whole: Scope): boolean {
  return part.every((token) => whole.includes(token));
}
