import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The version of this program, from its package.json: the sources and the build lie at different depths below it. */
export function packageVersion(folder: string = import.meta.dirname): string {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) {
    const parent = dirname(folder);
    return parent === folder ? 'unknown' : packageVersion(parent);
  }
  const manifest: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const version = typeof manifest === 'object' && manifest !== null && 'version' in manifest ? manifest.version : undefined;
  return typeof version === 'string' ? version : 'unknown';
}
