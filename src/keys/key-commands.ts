import type { EpochSeconds } from '../core/clock.ts';
import { isEncryptionAlgorithm, type KeyAlgorithm } from './key-algorithms.ts';
import { type KeyDirectoryContents, keyPairsIn, readKeyDirectory, revocationFileName } from './key-directory.ts';
import { createFile, removeFile } from './key-files.ts';
import { type KeyLife, type KeyState, livesOf, nextSequence } from './key-life.ts';
import { addKeyPair, addSecret, apply, type KeyUpkeep, prepareDirectory, recordRemoval, settle } from './key-upkeep.ts';
import type { StoredKeyPair, StoredSecret } from './stored-key.ts';

/** What an operator does to the keys by hand, while servers run: they take it in at their next reload. */

/** A key or server secret as an operator sees it. A secret that is `retiring` still recognises what was made with it, until it is revoked. */
export interface ListedKey {
  readonly kid: string;
  readonly alg: KeyAlgorithm | 'HS256';
  readonly state: KeyState;
  readonly createdAt: EpochSeconds;
  /** Since when it is in use or when it will be; undefined: when someone rotates by hand. */
  readonly activatesAt: EpochSeconds | undefined;
  /** When it will be removed, if that is known. */
  readonly goneAt: EpochSeconds | undefined;
}

export interface KeyRotation {
  /** The key that signs, or that clients encrypt for, from now on. */
  readonly promoted: string;
  /** How long verifiers could know it: less than the ring's `jwksMaxAgeSeconds`, and some may refuse its tokens for a moment. */
  readonly publishedForSeconds: number;
  /** The key that did until now. */
  readonly retiring: string;
  readonly next: string;
}

/** The command cannot be carried out; the message says why, for the operator. */
export class KeyCommandRefused extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'KeyCommandRefused';
  }
}

/** Every key and secret. Changes nothing. @throws KeyDirectoryError */
export async function listKeys({ directory, settings, clock }: Omit<KeyUpkeep, 'audit'>): Promise<readonly ListedKey[]> {
  const now = clock.now();
  const contents = await readKeyDirectory(directory);
  const { secrets } = contents;
  const current = currentSecret(secrets, now);
  return [
    ...livesOf(keyPairsIn(contents), settings, now).map(({ key: { kid, alg, createdAt }, state, activatesAt, goneAt }) => ({
      kid,
      alg,
      state,
      createdAt,
      activatesAt,
      goneAt,
    })),
    ...secrets.map(
      (secret): ListedKey => ({
        kid: secret.id,
        alg: 'HS256',
        state: secret === current ? 'active' : secret.activatedAt > now ? 'next' : 'retiring',
        createdAt: secret.createdAt,
        activatesAt: secret.activatedAt,
        goneAt: undefined,
      }),
    ),
  ];
}

/**
 * Lets the next key of an algorithm take over from now on, and makes a new next one.
 * @throws KeyCommandRefused when the algorithm is not in use or the directory is empty.
 * @throws KeyDirectoryError
 */
export async function rotateKey(upkeep: KeyUpkeep, alg: KeyAlgorithm): Promise<KeyRotation> {
  if (!upkeep.settings.algorithms.includes(alg)) {
    throw new KeyCommandRefused(isEncryptionAlgorithm(alg) ? 'FEATURES has encryption turned off.' : `${alg} is not in SIGNING_ALGS.`);
  }
  await refuseEmpty(upkeep);
  const now = upkeep.clock.now();
  const before = livesOf(keyPairsIn(await settle(upkeep)), upkeep.settings, now);
  const active = keyIn(before, alg, 'active');
  const promoted = keyIn(before, alg, 'next');
  await apply(upkeep, [{ kind: 'activate', key: promoted, at: Math.max(now, active.activatedAt ?? now) }]);
  const after = livesOf(keyPairsIn(await settle(upkeep)), upkeep.settings, now);
  const next = keyIn(after, alg, 'next');
  return { promoted: promoted.kid, publishedForSeconds: now - promoted.createdAt, retiring: active.kid, next: next.kid };
}

/**
 * Makes a new server secret. New credentials are made with it some seconds later, when every process knows it; the older ones go on
 * recognising what they made. In a directory without any it makes the first, which is how an operator says that the old ones are lost for good.
 * @throws KeyDirectoryError
 */
export async function rotateSecret(upkeep: KeyUpkeep): Promise<{ readonly id: string; readonly activatesAt: EpochSeconds }> {
  await prepareDirectory(upkeep.directory);
  for (;;) {
    const contents = await readKeyDirectory(upkeep.directory);
    const activatesAt = upkeep.clock.now() + (contents.hasServerSecret ? SECRET_NOTICE_SECONDS : 0);
    const id = await addSecret(upkeep, contents, activatesAt);
    if (id !== undefined) {
      return { id, activatesAt };
    }
    // Somebody else took this number: look again and take the next.
  }
}

/**
 * Takes a key away at once, for one that is compromised: no verifier that asks for the key set accepts its tokens any more, and what was made
 * with a server secret is void. If it was in use, the next one is from now on.
 * @throws KeyCommandRefused when there is no such key.
 * @throws KeyDirectoryError
 */
export async function revokeKey(upkeep: KeyUpkeep, kid: string): Promise<void> {
  const contents = await refuseEmpty(upkeep);
  const secret = contents.secrets.find(({ id }) => id === kid);
  if (secret !== undefined) {
    await revokeSecret(upkeep, contents, secret);
    return;
  }
  const now = upkeep.clock.now();
  const lives = livesOf(keyPairsIn(contents), upkeep.settings, now);
  const revoked = lives.find(({ key }) => key.kid === kid);
  if (revoked === undefined) {
    throw new KeyCommandRefused(`There is no key with the kid ${JSON.stringify(kid)}.`);
  }
  await replaceRevoked(upkeep, lives, revoked, now);
  await markAndRemove(upkeep.directory, kid, revoked.key.fileName);
  recordRemoval(upkeep, revoked.key, 'revoked');
  await settle(upkeep);
}

/** Servers look every second or so: one that is late must not be handed a credential of a secret it has not read yet. */
const SECRET_NOTICE_SECONDS = 10;

/** An empty directory is a wrong KEYS_DIR more often than a new server: only the server's start makes the first keys. */
async function refuseEmpty({ directory }: KeyUpkeep): Promise<KeyDirectoryContents> {
  const contents = await readKeyDirectory(directory);
  if (!contents.hasServerSecret) {
    throw new KeyCommandRefused(`${directory} holds no keys. Check KEYS_DIR, or start the server once: it makes them.`);
  }
  return contents;
}

function keyIn(lives: readonly KeyLife<StoredKeyPair>[], alg: KeyAlgorithm, wanted: KeyState): StoredKeyPair {
  const found = lives.find(({ key, state }) => key.alg === alg && state === wanted);
  if (found === undefined) {
    throw new KeyCommandRefused(`Somebody else is changing the ${alg} keys. Try again.`);
  }
  return found.key;
}

function currentSecret(secrets: readonly StoredSecret[], now: EpochSeconds): StoredSecret | undefined {
  return secrets.findLast(({ activatedAt }) => activatedAt <= now) ?? secrets[0];
}

async function revokeSecret(upkeep: KeyUpkeep, contents: KeyDirectoryContents, secret: StoredSecret): Promise<void> {
  if (secret === contents.secrets.at(-1)) {
    // Never without one, not even for a moment: a server without any secret takes its directory for lost.
    await addSecret(upkeep, contents, upkeep.clock.now());
  }
  await markAndRemove(upkeep.directory, secret.id, secret.fileName);
}

async function replaceRevoked(
  upkeep: KeyUpkeep,
  lives: readonly KeyLife<StoredKeyPair>[],
  { key, state }: KeyLife<StoredKeyPair>,
  now: EpochSeconds,
): Promise<void> {
  const own = lives.filter((life) => life.key.alg === key.alg);
  if (state === 'active') {
    const successor = own.find((life) => life.state === 'next');
    if (successor !== undefined) {
      await apply(upkeep, [{ kind: 'activate', key: successor.key, at: now }]);
    }
  } else if (state === 'next') {
    await addKeyPair(upkeep, { alg: key.alg, sequence: nextSequence(own.map((life) => life.key)), activatedAt: undefined });
  }
}

async function markAndRemove(directory: string, kid: string, fileName: string): Promise<void> {
  // The mark first: whoever is just writing the key's file sees it then, or has its work removed here.
  await createFile(directory, revocationFileName(kid), '');
  await removeFile(directory, fileName);
}
