import { randomBytes } from 'node:crypto';
import { link, open, readdir, rename, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '../core/clock.ts';
import { KeyDirectoryError } from './key-directory-error.ts';

/**
 * Writing in a directory that several processes share and any of which may be killed at any moment: a file is there whole or not at all, and
 * what a function has answered for is on the disk.
 */

/**
 * Makes a file of mode 0600.
 * @returns false when a file of this name is there already: another process was first, and its file stands.
 * @throws KeyDirectoryError when the directory cannot be written.
 */
export async function createFile(directory: string, fileName: string, text: string): Promise<boolean> {
  return await writing(directory, fileName, text, async (temporary, path) => {
    // Unlike a rename, a link never replaces what is there: the file system decides who was first.
    const isOurs = await succeedsUnless('EEXIST', link(temporary, path));
    await unlink(temporary);
    return isOurs;
  });
}

/** Puts a new text in the place of a file, at once. @throws KeyDirectoryError when the directory cannot be written. */
export async function replaceFile(directory: string, fileName: string, text: string): Promise<void> {
  await writing(directory, fileName, text, rename);
}

/** @returns false when the file was gone already. @throws KeyDirectoryError when the directory cannot be written. */
export async function removeFile(directory: string, fileName: string): Promise<boolean> {
  const path = join(directory, fileName);
  try {
    const isOurs = await succeedsUnless('ENOENT', unlink(path));
    await syncDirectory(directory);
    return isOurs;
  } catch (error) {
    throw new KeyDirectoryError(path, `cannot be removed (${codeOf(error)})`);
  }
}

/** Removes what a process that was killed left half-written: it may hold the private part of a key that is long gone, or revoked. */
export async function removeAbandonedFiles(directory: string): Promise<void> {
  for (const fileName of await readdir(directory)) {
    if (TEMPORARY.test(fileName)) {
      const path = join(directory, fileName);
      const found = await stat(path).catch(() => undefined);
      // By the machine's clock, as the file's time is. A write takes milliseconds: an hour is beyond doubt.
      if (found !== undefined && systemClock.now() - found.mtimeMs / 1000 > 3600) {
        await unlink(path).catch(() => undefined);
      }
    }
  }
}

/** The system's word for what went wrong, such as `EACCES`. */
export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'unknown error';
}

const TEMPORARY = /^\..+\.[0-9a-f]{16}\.tmp$/;

async function writing<Result>(
  directory: string,
  fileName: string,
  text: string,
  putInPlace: (temporary: string, path: string) => Promise<Result>,
): Promise<Result> {
  const path = join(directory, fileName);
  const temporary = join(directory, `.${fileName}.${randomBytes(8).toString('hex')}.tmp`);
  try {
    await writeDurably(temporary, text);
    const result = await putInPlace(temporary, path);
    await syncDirectory(directory);
    return result;
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw new KeyDirectoryError(path, `cannot be written (${codeOf(error)})`);
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Without this a power cut may take back the name of a file whose content is safe. */
async function syncDirectory(directory: string): Promise<void> {
  if (process.platform === 'win32') {
    // Windows cannot open a directory for this.
    return;
  }
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function succeedsUnless(code: string, work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return true;
  } catch (error) {
    if (codeOf(error) === code) {
      return false;
    }
    throw error;
  }
}
