import { darkPalette, lightPalette } from './palette.ts';
import { type Markup, template } from './template.ts';

/** The key before it is turned, while it turns (consent is asked), and where it does not turn (an error). */
export type Turn = 'rest' | 'turned' | 'stuck';

const RING = '<circle cx="16" cy="16" r="13"/>';
const QUARTER = 'M16 3a13 13 0 0 1 13 13';
const KEYWAY = 'M16 8.5a4 4 0 0 1 1.9 7.5l1.3 6.6a.8.8 0 0 1-.8.9h-4.8a.8.8 0 0 1-.8-.9l1.3-6.6A4 4 0 0 1 16 8.5z';

/** The mark: a lock's face, and the quarter turn that opens it. Decoration, so hidden from screen readers. */
export function keyTurn(turn: Turn): Markup {
  return mark({ turn });
}

const mark = template<{ turn: Turn }>(
  `<svg class="mark mark-<%= it.turn %>" viewBox="0 0 32 32" aria-hidden="true" focusable="false">${RING}<path class="mark-turn" d="${QUARTER}"/><path class="mark-keyway" d="${KEYWAY}"/></svg>`,
);

/** The mark as a `data:` address, so that a browser need not ask for /favicon.ico. */
export const favicon = `data:image/svg+xml,${encodeURIComponent(
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><style>g{fill:none;stroke:${lightPalette.ink};stroke-width:2.5}.k{fill:${lightPalette.ink};stroke:none}.t{stroke:${lightPalette.brass};stroke-width:4}@media(prefers-color-scheme:dark){g{stroke:${darkPalette.ink}}.k{fill:${darkPalette.ink}}.t{stroke:${darkPalette.brass}}}</style><g>${RING}<path class="t" d="${QUARTER}"/><path class="k" d="${KEYWAY}"/></g></svg>`,
)}`;
