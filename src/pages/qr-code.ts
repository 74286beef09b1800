import { encode, renderUnicodeCompact } from 'uqr';
import { type Markup, template } from './template.ts';

// ISO/IEC 18004: four modules of quiet on each side, or some cameras find nothing.
const QUIET_MODULES = 4;

/** The text as a QR code, drawn into the page: dark on white whatever the colours of the page, as cameras want it. Hidden from screen readers. */
export function qrCode(text: string): Markup {
  return drawing(modulesOf(text));
}

/** The same as a picture of its own, an SVG document. */
export function qrCodeImage(text: string): string {
  return image(modulesOf(text));
}

/** The same for a terminal, light on dark as most are: half blocks, two modules a character. */
export function qrCodeText(text: string): string {
  return `${renderUnicodeCompact(text, { ecc: 'L', border: 2 })}\n`;
}

function modulesOf(text: string): { size: number; modules: string } {
  const { size, data } = encode(text, { ecc: 'M', border: QUIET_MODULES });
  return { size, modules: data.map((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')).join('')).join('') };
}

const image = template<{ size: number; modules: string }>(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 <%= it.size %> <%= it.size %>" width="<%= it.size %>mm" height="<%= it.size %>mm" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h<%= it.size %>v<%= it.size %>H0z"/><path fill="#000" d="<%= it.modules %>"/></svg>',
);

const drawing = template<{ size: number; modules: string }>(
  '<svg class="qr" viewBox="0 0 <%= it.size %> <%= it.size %>" shape-rendering="crispEdges" aria-hidden="true" focusable="false"><path fill="#fff" d="M0 0h<%= it.size %>v<%= it.size %>H0z"/><path fill="#000" d="<%= it.modules %>"/></svg>',
);
