import { isShownWhole } from '../pages/display-text.ts';

/** What may be in a JSON text of a stranger. */
export interface JsonBounds {
  readonly longestText: number;
  readonly deepest: number;
}

/**
 * Reads JSON that a user is to agree to, so that what is shown, stored and handed on is one and the same: no member twice (whoever reads it next
 * may take the other one), no number that a double cannot hold, no text that is not seen as it is.
 * @returns the value, or what is wrong in words that the client may read.
 */
export function readStrictJson(
  text: string,
  { longestText, deepest }: JsonBounds,
): { readonly value: unknown } | { readonly problem: string } {
  if (text.length > longestText) {
    return { problem: `is longer than ${longestText} characters` };
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { problem: 'is not JSON' };
  }
  const problem = problemIn(value, deepest);
  if (problem !== undefined) {
    return { problem };
  }
  return membersIn(value) === membersWritten(text) ? { value } : { problem: 'names a member of an object twice' };
}

function problemIn(value: unknown, deeper: number): string | undefined {
  switch (typeof value) {
    case 'number':
      return isExact(value) ? undefined : 'has a number that is too large: write it as a text';
    case 'string':
      return isShownWhole(value) ? undefined : 'has a text with characters that cannot be seen';
    case 'object':
      return deeper === 0 ? 'is nested too deeply' : firstProblem(Object.entries(value ?? {}), deeper - 1);
    default:
      return undefined;
  }
}

function firstProblem(members: readonly (readonly [string, unknown])[], deeper: number): string | undefined {
  for (const [name, value] of members) {
    const problem = nameProblem(name) ?? problemIn(value, deeper);
    if (problem !== undefined) {
      return problem;
    }
  }
  return undefined;
}

function nameProblem(name: string): string | undefined {
  if (name === '__proto__') {
    // It means another thing to every program that copies objects carelessly.
    return 'has a member __proto__';
  }
  return name.length > LONGEST_NAME ? `has a member with a name longer than ${LONGEST_NAME} characters` : problemIn(name, 0);
}

// No longer than what a page shows of an identifier.
const LONGEST_NAME = 200;

/** RFC 7493 section 2.2: numbers that every reader understands alike. */
function isExact(value: number): boolean {
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value));
}

/** Members of all objects in a value. */
function membersIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) {
    return 0;
  }
  const values: readonly unknown[] = Object.values(value);
  return values.reduce<number>((sum, one) => sum + membersIn(one), Array.isArray(value) ? 0 : values.length);
}

/** Members as they are written: in JSON a colon outside of texts is one. */
function membersWritten(json: string): number {
  return json.replace(/"(?:[^"\\]|\\.)*"/g, '').split(':').length - 1;
}
