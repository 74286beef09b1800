import { expect } from 'chai';
import { darkPalette, lightPalette, type Palette } from '../../../src/pages/palette.ts';

// WCAG 2.2: 4.5 to 1 for text (1.4.3), 3 to 1 for what must be seen of controls, focus and symbols (1.4.11).
const text: readonly (readonly [keyof Palette, keyof Palette])[] = [
  ['ink', 'surface'],
  ['ink', 'tint'],
  ['quiet', 'surface'],
  ['quiet', 'tint'],
  ['action', 'surface'],
  ['actionInk', 'action'],
  ['actionInk', 'actionHover'],
  ['danger', 'dangerSurface'],
];
const symbols: readonly (readonly [keyof Palette, keyof Palette])[] = [
  ['edge', 'surface'],
  ['edge', 'tint'],
  ['action', 'surface'],
  ['action', 'canvas'],
  ['danger', 'surface'],
  ['brass', 'surface'],
  ['brass', 'canvas'],
];

describe('the colours of the pages', () => {
  for (const [name, palette] of Object.entries({ light: lightPalette, dark: darkPalette })) {
    for (const [least, pairs] of [
      [4.5, text],
      [3, symbols],
    ] as const) {
      for (const [front, back] of pairs) {
        it(`${name}: ${front} on ${back} has a contrast of ${least} to 1`, () => {
          expect(contrast(palette[front], palette[back])).to.be.at.least(least);
        });
      }
    }
  }
});

function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].toSorted((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Relative luminance (WCAG 2.2). */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = (colour.match(/[0-9a-f]{2}/g) ?? []).map((hex) => {
    const value = Number.parseInt(hex, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
