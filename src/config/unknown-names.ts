import { shown } from './setting.ts';

/** Puts a setting out of reach of what else is called PORT or HOST on a shared machine. */
export const PREFIX = 'KEYTURN_';

/**
 * Problem lines for the names that look like a setting and are none: a slip in ISSUER must not leave a server running with a default that
 * nobody chose. In the process environment, which holds other people's variables too, short names are not judged (`PORTS`, `GHOST`).
 */
export function unknownNames(
  known: readonly string[],
  given: { readonly environment: readonly string[]; readonly envFile: readonly string[] },
): readonly string[] {
  const names = new Map<string, 'environment' | 'envFile'>();
  for (const name of given.envFile) {
    names.set(name, 'envFile');
  }
  for (const name of given.environment) {
    names.set(name, names.get(name) ?? 'environment');
  }
  return [...names].flatMap(([name, source]) => problemOf(name, source, known) ?? []);
}

function problemOf(name: string, source: 'environment' | 'envFile', known: readonly string[]): string | undefined {
  const isPrefixed = name.toUpperCase().startsWith(PREFIX);
  const bare = name.startsWith(PREFIX) ? name.slice(PREFIX.length) : name;
  if (known.includes(bare)) {
    return undefined;
  }
  if (isPrefixed) {
    const close = nearest(
      name,
      known.map((candidate) => PREFIX + candidate),
      4,
    );
    return `${shown(name)} is not a setting${close === undefined ? '; .env.example lists them all' : `: did you mean ${close}?`}`;
  }
  const candidates = source === 'envFile' ? known : known.filter((candidate) => isLong(candidate) && !COMMON.includes(candidate));
  const close = nearest(name, [...candidates, ...known.map((candidate) => PREFIX + candidate)], 2);
  return close === undefined
    ? undefined
    : `${shown(name)} is not a setting: did you mean ${close}? If it belongs to another program, keep it from this one.`;
}

// Other programs have settings of nearly this name (LOGLEVEL), and little hangs on it.
const COMMON = ['LOG_LEVEL'];

// Eight letters, the underscore not counted: long enough that no other program means something else by nearly the same name.
function isLong(name: string): boolean {
  return name.replaceAll('_', '').length >= 8;
}

function nearest(name: string, candidates: readonly string[], mostEdits: number): string | undefined {
  const ranked = candidates
    .map((candidate) => ({ candidate, edits: editDistance(name.toUpperCase(), candidate) }))
    // One edit makes another word of a short one.
    .filter(({ candidate, edits }) => edits <= (isLong(candidate) ? mostEdits : 1))
    .toSorted((one, other) => one.edits - other.edits);
  return ranked[0]?.candidate;
}

/** Optimal string alignment: how many letters to add, drop, change, or swap with their neighbour. */
function editDistance(one: string, other: string): number {
  if (Math.abs(one.length - other.length) > 4) {
    return Number.POSITIVE_INFINITY;
  }
  const rows: number[][] = [Array.from({ length: other.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number) => rows[row]?.[column] ?? Number.POSITIVE_INFINITY;
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= other.length; column++) {
      const changed = at(row - 1, column - 1) + (one[row - 1] === other[column - 1] ? 0 : 1);
      const isSwap = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      const swapped = isSwap ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY;
      current.push(Math.min(changed, swapped, at(row - 1, column) + 1, at(row, column - 1) + 1));
    }
  }
  return at(one.length, other.length);
}
