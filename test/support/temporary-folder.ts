import { mkdtempSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startKeeper } from './keeper.ts';

/** A new, empty folder (for a database, for keys) that is removed when this process ends, however it ends. */
export function temporaryFolder(): Promise<string> {
  if (root === undefined) {
    root = mkdtempSync(join(tmpdir(), 'keyturn-test-'));
    startKeeper(root);
  }
  return mkdtemp(join(root, 'folder-'));
}

let root: string | undefined;
