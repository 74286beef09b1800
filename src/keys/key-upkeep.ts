import { chmod, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuditTrail } from '../core/audit.ts';
import type { Clock, EpochSeconds } from '../core/clock.ts';
import { isEncryptionAlgorithm, type KeyAlgorithm } from './key-algorithms.ts';
import { type KeyDirectoryContents, keyPairsIn, readKeyDirectory, readKeyFile, revocationFileName } from './key-directory.ts';
import { KeyDirectoryError } from './key-directory-error.ts';
import { codeOf, createFile, removeAbandonedFiles, removeFile, replaceFile } from './key-files.ts';
import { advance, type KeyChange, type KeySettings, nextSequence } from './key-life.ts';
import { keyFileText, makeKeyPair, makeSecret, type NewKey } from './key-making.ts';
import { keyFileName, parseStoredKey, type StoredKeyPair } from './stored-key.ts';

/** What looking after a key directory takes. Any number of processes may look after the same one at the same time. */
export interface KeyUpkeep {
  readonly directory: string;
  readonly settings: KeySettings;
  readonly clock: Clock;
  readonly audit: AuditTrail;
}

/**
 * Makes what is missing (the directory, a server secret, an active and a next key for each algorithm) and does what is due. Ask
 * `readKeyDirectory` before whether it is right to make a server secret.
 * @throws KeyDirectoryError when a key file is not what it must be, or the directory cannot be written.
 */
export async function ensureKeys(upkeep: KeyUpkeep): Promise<KeyDirectoryContents> {
  const { directory, clock } = upkeep;
  const found = await readKeyDirectory(directory);
  await prepareDirectory(directory);
  if (keyPairsIn(found).length === 0 && !found.hasServerSecret) {
    // One that came with a checkout has the mode the umask gave it. Where the mode is not ours to change (a mounted volume), the files' own
    // mode guards them.
    await chmod(directory, 0o700).catch(() => undefined);
  }
  await removeAbandonedFiles(directory);
  if (!found.hasServerSecret) {
    await addSecret(upkeep, found, clock.now());
  }
  return await settle(upkeep);
}

/** Does what is due, reading the directory again after each step, until nothing is. @throws KeyDirectoryError as `ensureKeys` does. */
export async function settle(upkeep: KeyUpkeep): Promise<KeyDirectoryContents> {
  for (let step = 0; step < MOST_STEPS; step++) {
    const contents = await readKeyDirectory(upkeep.directory);
    for (const fileName of contents.revokedFiles) {
      await removeFile(upkeep.directory, fileName);
    }
    const changes = advance(keyPairsIn(contents), upkeep.settings, upkeep.clock.now());
    if (changes.length === 0) {
      return contents;
    }
    await apply(upkeep, changes);
  }
  throw new KeyDirectoryError(upkeep.directory, 'does not come to rest: is another server with other settings using it?');
}

/** Carries out changes in the order given. What another process did first is left as it is. @throws KeyDirectoryError */
export async function apply(upkeep: KeyUpkeep, changes: readonly KeyChange<StoredKeyPair>[]): Promise<void> {
  const { directory } = upkeep;
  const newKeys = await keysFor(upkeep, changes);
  for (const change of changes) {
    switch (change.kind) {
      case 'make':
        await addKeyPair(upkeep, change, newKeys.get(change));
        break;
      case 'activate':
        if (await rewrite(directory, change.key, { activated_at: change.at })) {
          recordActivation(upkeep, change.key, change.at);
        }
        break;
      case 'retire':
        await rewrite(directory, change.key, { retired_at: change.at });
        break;
      case 'resume':
        await rewrite(directory, change.key, { retired_at: undefined });
        break;
      case 'remove':
        if (await removeFile(directory, change.key.fileName)) {
          recordRemoval(upkeep, change.key, 'retired');
        }
        break;
    }
  }
}

/** Makes the directory, of mode 0700, unless it is there. @throws KeyDirectoryError */
export async function prepareDirectory(directory: string): Promise<void> {
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new KeyDirectoryError(directory, `cannot be made (${codeOf(error)})`);
  }
}

/** Makes the key of this number, unless it is there: then another process made it, and that is the one. @throws KeyDirectoryError */
export async function addKeyPair(
  upkeep: KeyUpkeep,
  { alg, sequence, activatedAt }: { readonly alg: KeyAlgorithm; readonly sequence: number; readonly activatedAt: EpochSeconds | undefined },
  made?: NewKey,
): Promise<void> {
  const { directory, clock } = upkeep;
  const { kid, text } = made ?? (await makeKeyPair(alg, clock.now(), activatedAt));
  if ((await createFile(directory, keyFileName(alg, sequence), text)) && activatedAt !== undefined) {
    recordActivation(upkeep, { kid, alg }, activatedAt);
  }
}

/** Tells the audit trail that a key is gone. */
export function recordRemoval(
  { audit }: Pick<KeyUpkeep, 'audit'>,
  { kid, alg }: { readonly kid: string; readonly alg: KeyAlgorithm },
  reason: 'retired' | 'revoked',
): void {
  audit.record(isEncryptionAlgorithm(alg) ? 'encryption_key_removed' : 'signing_key_removed', { kid, alg, reason });
}

/** Makes the next server secret and answers its id, or undefined when another process was first with one. @throws KeyDirectoryError */
export async function addSecret(
  { directory, clock }: KeyUpkeep,
  contents: KeyDirectoryContents,
  activatedAt: EpochSeconds,
): Promise<string | undefined> {
  const fileName = keyFileName('HS256', nextSequence(contents.secrets));
  let secret = makeSecret(clock.now(), activatedAt);
  while (contents.secrets.some(({ id }) => id === secret.kid)) {
    secret = makeSecret(clock.now(), activatedAt);
  }
  return (await createFile(directory, fileName, secret.text)) ? secret.kid : undefined;
}

/** A healthy directory takes two steps: the changes, and the look that finds nothing left to do. */
const MOST_STEPS = 6;

function recordActivation(
  { audit }: Pick<KeyUpkeep, 'audit'>,
  { kid, alg }: { readonly kid: string; readonly alg: KeyAlgorithm },
  at: EpochSeconds,
): void {
  audit.record(isEncryptionAlgorithm(alg) ? 'encryption_key_activated' : 'signing_key_activated', { kid, alg, at });
}

/** The keys that changes ask for, made side by side: a first start makes several RSA keys. */
async function keysFor(
  { clock }: KeyUpkeep,
  changes: readonly KeyChange<StoredKeyPair>[],
): Promise<ReadonlyMap<KeyChange<StoredKeyPair>, NewKey>> {
  const made = changes.map(async (change) =>
    change.kind === 'make' ? [[change, await makeKeyPair(change.alg, clock.now(), change.activatedAt)] as const] : [],
  );
  return new Map((await Promise.all(made)).flat());
}

/** Changes members of a key file and keeps the others. Answers false when the key is gone, or has these values already. */
async function rewrite(directory: string, key: StoredKeyPair, members: Readonly<Record<string, unknown>>): Promise<boolean> {
  const path = join(directory, key.fileName);
  const before = await readKeyFile(path);
  if (before === undefined) {
    return false;
  }
  const stored = parseStoredKey(path, key.fileName, before);
  const file: unknown = JSON.parse(before);
  if (stored.kind === 'secret' || stored.kid !== key.kid || typeof file !== 'object') {
    return false;
  }
  const text = keyFileText({ ...file, ...members });
  if (text === before) {
    return false;
  }
  await replaceFile(directory, key.fileName, text);
  // Revoked between the look and the write: the file must not be back. Revocation leaves its mark before it removes the file, so either it
  // removes what was just written, or the mark is seen here.
  if ((await readKeyFile(join(directory, revocationFileName(key.kid)))) !== undefined) {
    await removeFile(directory, key.fileName);
    return false;
  }
  return true;
}
