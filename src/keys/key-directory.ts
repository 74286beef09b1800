import { constants, lstatSync, readdirSync } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type EpochSeconds, systemClock } from '../core/clock.ts';
import { KeyDirectoryError } from './key-directory-error.ts';
import { codeOf } from './key-files.ts';
import {
  parseKeyFileName,
  parseStoredKey,
  type StoredEncryptionKey,
  type StoredKey,
  type StoredKeyPair,
  type StoredSecret,
  type StoredSigningKey,
} from './stored-key.ts';

/** What a key directory holds, read and checked. */
export interface KeyDirectoryContents {
  readonly signingKeys: readonly StoredSigningKey[];
  readonly encryptionKeys: readonly StoredEncryptionKey[];
  /** In order of their sequence. */
  readonly secrets: readonly StoredSecret[];
  /**
   * False before the first start. False with grants in the database means that the directory was lost: making new secrets then would
   * quietly void every refresh token, so the server must not start.
   */
  readonly hasServerSecret: boolean;
  /** Files of keys that were revoked: left behind by a crash, or back from a backup. They count for nothing and can go. */
  readonly revokedFiles: readonly string[];
  /** Signing keys that were revoked, and when. */
  readonly revocations: readonly { readonly kid: string; readonly at: EpochSeconds }[];
}

/**
 * Reads every key file. A directory that is not there reads as empty. Temporary files, the README and whatever else does not bear the name of
 * a key file are ignored.
 * @throws KeyDirectoryError when the directory or a key file in it is not what it must be.
 */
export async function readKeyDirectory(directory: string): Promise<KeyDirectoryContents> {
  const names = await listed(directory);
  const keys: StoredKey[] = [];
  const revokedFiles: string[] = [];
  for (const fileName of names.filter((name) => parseKeyFileName(name) !== undefined)) {
    const path = join(directory, fileName);
    const text = await readKeyFile(path);
    if (text !== undefined) {
      const key = parseStoredKey(path, fileName, text);
      const isRevoked = names.includes(revocationFileName(key.kind === 'secret' ? key.id : key.kid));
      if (isRevoked) {
        revokedFiles.push(fileName);
      } else {
        keys.push(key);
      }
    }
  }
  const revocations = await revocationsAmong(directory, names);
  const secrets = keys.filter((key) => key.kind === 'secret').toSorted((one, other) => one.sequence - other.sequence);
  return {
    signingKeys: keys.filter((key) => key.kind === 'signing'),
    encryptionKeys: keys.filter((key) => key.kind === 'encryption'),
    secrets,
    hasServerSecret: secrets.length > 0,
    revokedFiles,
    revocations,
  };
}

/** All key pairs, which live by the same dates (`key-life.ts`). */
export function keyPairsIn({ signingKeys, encryptionKeys }: KeyDirectoryContents): readonly StoredKeyPair[] {
  return [...signingKeys, ...encryptionKeys];
}

/** The text of one key file, or undefined when it is not there. @throws KeyDirectoryError when it is not a private, regular file. */
export async function readKeyFile(path: string): Promise<string | undefined> {
  try {
    // Not followed, not waited for: a link could lead to a file whose mode says nothing about this one, and a pipe would hang.
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const found = await file.stat();
      if (!found.isFile()) {
        throw new KeyDirectoryError(path, 'is not a regular file');
      }
      if (MODES_SPEAK && (found.mode & 0o077) !== 0) {
        throw new KeyDirectoryError(path, `can be used by others than its owner (mode ${octal(found.mode)}): chmod 600 it`);
      }
      if (found.size > LARGEST_KEY_FILE_BYTES) {
        throw new KeyDirectoryError(path, 'is far larger than a key. Restore the file from a backup');
      }
      return await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof KeyDirectoryError) {
      throw error;
    }
    switch (codeOf(error)) {
      case 'ENOENT':
        return undefined;
      case 'ELOOP':
        throw new KeyDirectoryError(path, 'is a symbolic link, not a regular file');
      default:
        throw new KeyDirectoryError(path, `cannot be read (${codeOf(error)})`);
    }
  }
}

/** Marks a key as revoked, so that no process that was just about to write its file brings it back. */
export function revocationFileName(kid: string): string {
  return `${kid}.revoked`;
}

/** Of signing keys alone: their kid is a SHA-256 in base64url, and a secret's is shorter. */
async function revocationsAmong(directory: string, names: readonly string[]): Promise<KeyDirectoryContents['revocations']> {
  const kids = names.flatMap((name) => /^([\w-]{43})\.revoked$/.exec(name)?.[1] ?? []);
  const found = await Promise.all(
    kids.map(async (kid) => ({ kid, mark: await lstat(join(directory, revocationFileName(kid))).catch(() => undefined) })),
  );
  return found.flatMap(({ kid, mark }) => (mark === undefined ? [] : [{ kid, at: Math.floor(mark.mtimeMs / 1000) }]));
}

/** What can be seen of a key directory without opening a file. */
export interface DirectoryGlance {
  /** Differs when a key file or a revocation came, went, or was written. */
  readonly fingerprint: string;
  /**
   * False while a file is so young that another write may not show: file systems count time in steps of a few milliseconds up to two
   * seconds. Look again.
   */
  readonly isSettled: boolean;
}

/**
 * Looks at the directory in some ten system calls, without waiting.
 * @param machineNow by the machine's clock, whatever clock the server runs by: it is compared with the file system's.
 * @throws KeyDirectoryError when it cannot be read.
 */
export function glanceAt(directory: string, machineNow: EpochSeconds = systemClock.now()): DirectoryGlance {
  let isSettled = true;
  const seen: string[] = [];
  try {
    for (const name of readdirSync(directory).toSorted()) {
      if (parseKeyFileName(name) !== undefined || name.endsWith('.revoked')) {
        const found = lstatSync(join(directory, name), { bigint: true, throwIfNoEntry: false });
        if (found !== undefined) {
          seen.push(`${name} ${found.ino} ${found.size} ${found.mode} ${found.mtimeNs} ${found.ctimeNs}`);
          isSettled &&= Math.abs(machineNow - Number(found.ctimeMs) / 1000) > COARSEST_FILE_TIME_SECONDS;
        }
      }
    }
  } catch (error) {
    throw new KeyDirectoryError(directory, `cannot be read (${codeOf(error)})`);
  }
  return { fingerprint: seen.join('\n'), isSettled };
}

// On Windows access lists decide, and every file's mode reads as 0666.
const MODES_SPEAK = process.platform !== 'win32';
const COARSEST_FILE_TIME_SECONDS = 2;
const LARGEST_KEY_FILE_BYTES = 65_536;

async function listed(directory: string): Promise<readonly string[]> {
  try {
    const found = await lstat(`${directory}/`);
    if (!found.isDirectory()) {
      throw new KeyDirectoryError(directory, 'is not a directory');
    }
    if (MODES_SPEAK && (found.mode & 0o002) !== 0) {
      throw new KeyDirectoryError(directory, `can be written by everyone (mode ${octal(found.mode)}): chmod 700 it`);
    }
    return (await readdir(directory)).toSorted();
  } catch (error) {
    if (error instanceof KeyDirectoryError) {
      throw error;
    }
    switch (codeOf(error)) {
      case 'ENOENT':
        return [];
      case 'ENOTDIR':
        throw new KeyDirectoryError(directory, 'is not a directory');
      default:
        throw new KeyDirectoryError(directory, `cannot be read (${codeOf(error)})`);
    }
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, '0');
}
