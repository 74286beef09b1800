import { writeDate } from '../core/clock.ts';

/**
 * Text for people: names and values of a document, one a line. The elements of a list have a line each; dates (members called `…_at`) are
 * written as ISO 8601 in UTC.
 */
export function fields(document: object): string {
  const rows = Object.entries(document)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]: [string, unknown]) => {
      const values: readonly unknown[] = Array.isArray(value) ? value : [value];
      return values.length === 0 ? [[name, '-']] : values.map((one, index) => [index === 0 ? name : '', valueText(name, one)]);
    });
  return columns(rows);
}

/** Text for people: a table with a line for the names of its columns. */
export function table(names: readonly string[], rows: readonly (readonly (string | undefined)[])[]): string {
  return columns([names, ...rows.map((row) => row.map((cell) => (cell === undefined || cell === '' ? '-' : cell)))]);
}

/** A date, or undefined where there is none. */
export function dateText(date: number | undefined): string | undefined {
  return date === undefined ? undefined : writeDate(date);
}

function valueText(name: string, value: unknown): string {
  if (typeof value === 'number' && name.endsWith('_at')) {
    return writeDate(value);
  }
  return typeof value === 'string' ? value || '-' : JSON.stringify(value);
}

function columns(rows: readonly (readonly string[])[]): string {
  const printed = rows.map((row) => row.map(visible));
  const widths = (printed[0] ?? []).map((_, column) => Math.max(...printed.map((row) => widthOf(row[column] ?? ''))));
  return printed
    .map((row) =>
      row
        .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** A name that somebody registered must not move the cursor, change colours or turn the text round: such characters are written as escapes. */
function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}

/** Columns of a terminal: Hangul, Chinese characters, kana and full-width forms take two. */
function widthOf(text: string): number {
  return Array.from(text).reduce((width, character) => width + (WIDE.test(character) ? 2 : 1), 0);
}

const WIDE = /[\u1100-\u115f\u2e80-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/;
