import { encode } from 'uqr';
import { type Markup, template } from './template.ts';

// ISO/IEC 18004: four modules of quiet on each side, or some cameras find nothing.
const QUIET_MODULES = 4;

/** The text as a QR code, drawn into the page: dark on white whatever the colours of the page, as cameras want it. Hidden from screen readers. */
export function qrCode(text: string): Markup {
  const { size, data } = encode(text, { ecc: 'M', border: QUIET_MODULES });
  const modules = data.map((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')).join('')).join('');
  return drawing({ size, modules });
}

const drawing = template<{ size: number; modules: string }>(
  '<svg class="qr" viewBox="0 0 <%= it.size %> <%= it.size %>" shape-rendering="crispEdges" aria-hidden="true" focusable="false"><path fill="#fff" d="M0 0h<%= it.size %>v<%= it.size %>H0z"/><path fill="#000" d="<%= it.modules %>"/></svg>',
);
