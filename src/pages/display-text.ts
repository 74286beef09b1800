// What could make a text look like another one, or spill out of its place: controls, halves of characters, overrides of the writing
// direction, blanks that are no spaces, and characters without width (joiners stay: Persian and emoji need them).
const INVISIBLE =
  /[\p{Cc}\p{Cs}\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e0fff}]/gu;
// Marks piled on one letter paint over the lines around it.
const PILED_MARKS = /(\p{M}{3})\p{M}+/gu;

const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

// In code units; a family of four as an emoji has 11.
const LONGEST_CHARACTER = 16;

/**
 * Text of somebody else (a client's name, a user's name) as it may be shown: no invisible characters, single spaces, and at most
 * `longest` characters as people count them, the last of which is then an ellipsis. Empty when nothing is left. Not yet escaped.
 */
export function displayText(text: string, longest = 64): string {
  // A character as people count them can be any number of code units long: the work is bounded, too.
  const bounded = text.slice(0, longest * LONGEST_CHARACTER);
  const clean = bounded.replace(/\s+/gu, ' ').replace(INVISIBLE, '').replace(PILED_MARKS, '$1').trim();
  if (!VISIBLE.test(clean)) {
    return '';
  }
  const characters = [...graphemes.segment(clean)].map(({ segment }) => segment);
  if (characters.length <= longest && bounded === text) {
    return clean;
  }
  const start = characters.slice(0, longest - 1).join('');
  return `${start.trimEnd()}…`;
}

/** Whether people see all of a text: nothing of it is invisible or painted over. Any white space is a space. */
export function isShownWhole(text: string): boolean {
  const spaced = text.replace(/\s/gu, ' ');
  return spaced.replace(INVISIBLE, '').replace(PILED_MARKS, '$1') === spaced;
}

/** The first character of a cleaned name, as a capital: what stands where a logo would. */
export function initial(name: string): string {
  const character = /[\p{L}\p{N}]/u.exec(name.normalize('NFC'))?.[0] ?? '?';
  return character.toLocaleUpperCase('en');
}
