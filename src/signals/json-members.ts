import { InvalidRequest } from '../core/errors.ts';

/** The members of a JSON object that a receiver sent. */
export type JsonMembers = Readonly<Record<string, unknown>>;

/** @throws InvalidRequest when it is no object. `undefined` (no body) is an object without members. */
export function jsonMembers(value: unknown): JsonMembers {
  if (value === undefined) {
    return {};
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new InvalidRequest('The body must be a JSON object.');
  }
  return value as JsonMembers;
}

const LONGEST_TEXT = 2048;
const MOST_TEXTS = 100;

/** @returns undefined when the member is absent, null or empty. @throws InvalidRequest when it is no text that can be stored. */
export function optionalText(members: JsonMembers, name: string, longest: number = LONGEST_TEXT): string | undefined {
  const value = own(members, name);
  if (value === undefined || value === null || value === '') {
    return undefined;
  }
  return text(name, value, longest);
}

/** @throws InvalidRequest when the member is absent, or no text that can be stored. */
export function requiredText(members: JsonMembers, name: string): string {
  const value = optionalText(members, name);
  if (value === undefined) {
    throw new InvalidRequest(`The member ${name} is missing.`);
  }
  return value;
}

/** @returns undefined when the member is absent or null. @throws InvalidRequest when it is no short array of texts. */
export function optionalTexts(members: JsonMembers, name: string, most: number = MOST_TEXTS): readonly string[] | undefined {
  const value = own(members, name);
  if (value === undefined || value === null) {
    return undefined;
  }
  if (!Array.isArray(value) || value.length > most) {
    throw new InvalidRequest(`The member ${name} must be an array of at most ${most} texts.`);
  }
  return value.map((one: unknown) => text(name, one, LONGEST_TEXT));
}

/** @returns undefined when the member is absent or null. @throws InvalidRequest when it is no object. */
export function optionalObject(members: JsonMembers, name: string): JsonMembers | undefined {
  const value = own(members, name);
  if (value === undefined || value === null) {
    return undefined;
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new InvalidRequest(`The member ${name} must be an object.`);
  }
  return value as JsonMembers;
}

function own(members: JsonMembers, name: string): unknown {
  return Object.hasOwn(members, name) ? members[name] : undefined;
}

/** PostgreSQL holds no NUL, and a line of a log or a header none of the others. */
function text(name: string, value: unknown, longest: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (typeof value !== 'string' || value.length > longest || /[\u0000-\u001f\u007f]/.test(value)) {
    throw new InvalidRequest(`The member ${name} must be text of at most ${longest} characters, without control characters.`);
  }
  return value;
}
