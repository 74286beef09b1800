import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const file = process.env.SESSION_FILE ?? join(homedir(), '.local', 'state', 'keyturn-example', 'session.json');

/** @returns what was remembered, or undefined. */
export async function recall() {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (problem) {
    if (problem.code === 'ENOENT') {
      return undefined;
    }
    throw problem;
  }
}

/** Writes beside and renames: no reader sees half of it, and it is nobody else's to read at any time, whatever was there before. */
export async function remember(session) {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${randomUUID()}`;
  await writeFile(fresh, JSON.stringify(session), { mode: 0o600, flag: 'wx' });
  await rename(fresh, file);
}

export async function forget() {
  await rm(file, { force: true });
}
