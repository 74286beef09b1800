import { expect } from 'chai';
import jsqr from 'jsqr';
import { qrCode } from '../../../src/pages/qr-code.ts';

// The package is CommonJS: its types call the function `default`, and so does the function itself.
const decode = jsqr.default;
const PIXELS = 4;

describe('the QR code on a page', () => {
  for (const text of [
    'otpauth://totp/login.example:alice?secret=GEZDGNBVGY3TQOJQ',
    `otpauth://totp/x:${'%EA%B9%80'.repeat(60)}?secret=A`,
  ]) {
    it(`is read by another program as what it was made of (${text.length} characters)`, () => {
      const { pixels, size } = drawn(qrCode(text));
      expect(decode(pixels, size, size)?.data).to.equal(text);
    });
  }
});

/** The picture as a camera would see it: the dark modules of the second path on white. */
function drawn(svg: string): { readonly pixels: Uint8ClampedArray; readonly size: number } {
  const modules = Number(/viewBox="0 0 (\d+) /.exec(svg)?.[1]);
  const size = modules * PIXELS;
  const pixels = new Uint8ClampedArray(size * size * 4).fill(255);
  const path = /fill="#000" d="([^"]*)"/.exec(svg)?.[1] ?? '';
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let at = 0; at < PIXELS * PIXELS; at++) {
      const pixel = (Number(y) * PIXELS + Math.floor(at / PIXELS)) * size + Number(x) * PIXELS + (at % PIXELS);
      pixels.fill(0, pixel * 4, pixel * 4 + 3);
    }
  }
  return { pixels, size };
}
