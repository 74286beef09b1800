/** The colours of the pages by what they are for, as #rrggbb. Each pair that meets is held to WCAG 2.2 AA by a test. */
export interface Palette {
  /** Behind everything. */
  readonly canvas: string;
  /** What text stands on. */
  readonly surface: string;
  /** A quiet panel on the surface. */
  readonly tint: string;
  readonly ink: string;
  /** Text of the second rank. */
  readonly quiet: string;
  /** Hairlines that mean nothing by themselves. */
  readonly line: string;
  /** The border of something that can be used. */
  readonly edge: string;
  readonly action: string;
  readonly actionHover: string;
  /** Text on `action`. */
  readonly actionInk: string;
  readonly brass: string;
  readonly danger: string;
  readonly dangerSurface: string;
}

export const lightPalette: Palette = {
  canvas: '#edf1ee',
  surface: '#ffffff',
  tint: '#f4f7f5',
  ink: '#16211d',
  quiet: '#53615a',
  line: '#d6deda',
  edge: '#7a8982',
  action: '#0e5a4a',
  actionHover: '#0a4538',
  actionInk: '#ffffff',
  brass: '#a37222',
  danger: '#a1262b',
  dangerSurface: '#fdf2f1',
};

export const darkPalette: Palette = {
  canvas: '#0c1210',
  surface: '#151d1a',
  tint: '#1b2521',
  ink: '#e6ece9',
  quiet: '#a3b1aa',
  line: '#2b3733',
  edge: '#71837b',
  action: '#7cd3ba',
  actionHover: '#9ae0cb',
  actionInk: '#05231b',
  brass: '#d8ad5e',
  danger: '#ff9e95',
  dangerSurface: '#2b1a19',
};
