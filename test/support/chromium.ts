import { existsSync } from 'node:fs';
import type { Browser } from 'playwright-core';
import { chromium } from 'playwright-core';

// No request of the browser's own: nothing outside this machine is reached.
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Where a Chromium is: CHROMIUM_PATH, or where Debian puts it. */
export const chromiumPath = [process.env['CHROMIUM_PATH'], '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(
  (path) => path !== undefined && path !== '' && existsSync(path),
);

/** For the `before` one level above a suite: skips loudly where there is no Chromium, and fails where CI must not skip. */
export function skipWithoutChromium(this: Mocha.Context): void {
  if (chromiumPath !== undefined) {
    return;
  }
  if (process.env['CI'] !== undefined) {
    throw new Error('no Chromium: install it (apt-get install chromium) or set CHROMIUM_PATH');
  }
  process.stderr.write('\n*** NO CHROMIUM: the pages are not tried in a real browser. Install one or set CHROMIUM_PATH. ***\n\n');
  this.skip();
}

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath ?? '', args: QUIET });
}
