import type { SigningAlgorithm } from '../config/config.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { isEncryptionAlgorithm } from './key-algorithms.ts';
import { glanceAt, type KeyDirectoryContents, keyPairsIn, readKeyDirectory } from './key-directory.ts';
import { KeyDirectoryError } from './key-directory-error.ts';
import { advance, jwksMaxAgeSeconds, type KeyLife, type KeySettings, livesOf, nextDateOf, retentionSeconds } from './key-life.ts';
import type { KeyRing } from './key-ring.ts';
import { ensureKeys, type KeyUpkeep, settle } from './key-upkeep.ts';
import type { DecryptionKey } from './own-decryption.ts';
import type { VerificationKey } from './own-tokens.ts';
import type { PublicKeySet } from './public-jwk.ts';
import { type ServerSecret, serverSecret } from './server-secrets.ts';
import { localSigningKey, type SigningKey } from './signing-key.ts';
import type { StoredEncryptionKey, StoredKeyPair, StoredSigningKey } from './stored-key.ts';

/** What a key ring is made from. `onProblem` is told of each new problem once; it must not throw. */
export interface KeyRingDependencies extends KeyUpkeep {
  onProblem(error: unknown): void;
}

/**
 * Opens the key directory for a server, making what is missing (see `ensureKeys`).
 * @throws KeyDirectoryError when a key file is not what it must be, or the directory cannot be written.
 */
export async function openKeyRing(dependencies: KeyRingDependencies): Promise<KeyRing> {
  const { directory, settings, clock, onProblem } = dependencies;
  const listeners = new Set<() => void>();
  let held = hold(await ensureKeys(dependencies), settings, clock.now());
  let seen: string | undefined;
  let writeAgainAt = NEVER;
  let problem: string | undefined;
  let running: Promise<void> | undefined;

  async function takeIn(): Promise<void> {
    const now = clock.now();
    const glance = glanceAt(directory);
    if (glance.fingerprint === seen && glance.isSettled && now < held.nextDate && now < writeAgainAt) {
      return;
    }
    seen = undefined;
    const contents = await readKeyDirectory(directory);
    if (!contents.hasServerSecret) {
      // Not the moment to make new ones: every refresh token would be void, and the directory may be back in a minute.
      throw new KeyDirectoryError(directory, 'holds no server secret any more. Restore it: the server goes on with the keys in its memory');
    }
    const isDue = advance(keyPairsIn(contents), settings, now).length > 0;
    if (isDue && (writeAgainAt === NEVER || now >= writeAgainAt)) {
      await settleOrWait(contents, now);
    } else {
      adoptIfComplete(contents, now);
    }
    if (!isDue) {
      writeAgainAt = NEVER;
      problem = undefined;
    }
    seen = glance.fingerprint;
  }

  async function settleOrWait(contents: KeyDirectoryContents, now: EpochSeconds): Promise<void> {
    try {
      adopt(await settle(dependencies), now);
      writeAgainAt = NEVER;
      problem = undefined;
    } catch (error) {
      // A directory that cannot be written still tells what others did, and who signs next.
      adoptIfComplete(contents, now);
      writeAgainAt = now + WRITE_AGAIN_SECONDS;
      report(error);
    }
  }

  function adoptIfComplete(contents: KeyDirectoryContents, now: EpochSeconds): void {
    const present = keyPairsIn(contents).map(({ alg }) => alg);
    if (settings.algorithms.every((alg) => present.includes(alg))) {
      adopt(contents, now);
    }
  }

  function adopt(contents: KeyDirectoryContents, now: EpochSeconds): void {
    const before = held;
    held = hold(contents, settings, now, before);
    if (held.identity !== before.identity) {
      for (const listener of listeners) {
        try {
          listener();
        } catch (error) {
          onProblem(error);
        }
      }
    }
  }

  function report(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (message !== problem) {
      problem = message;
      onProblem(error);
    }
  }

  return {
    current(alg) {
      const signers = held.signers.get(alg);
      if (signers === undefined) {
        throw new Error(`There is no ${alg} key: SIGNING_ALGS does not have it.`);
      }
      // By the clock, not by the last reload: whoever wakes up late still signs with the key that everyone else signs with.
      return whoseTurn(signers, clock.now());
    },
    published: () => held.published,
    jwksMaxAgeSeconds: jwksMaxAgeSeconds(settings),
    decryptionKeys: () => held.decryptionKeys,
    verificationKey: (kid) => held.verificationKeys.get(kid),
    isNext: (kid) => held.starts.get(kid) === undefined || (held.starts.get(kid) ?? 0) > clock.now(),
    revoked: () => held.revoked,
    secrets: {
      get newest() {
        return whoseTurn(held.secretTurns, clock.now());
      },
      byId: (id) => held.secrets.get(id),
    },
    reload() {
      running ??= takeIn()
        .catch(report)
        .finally(() => {
          running = undefined;
        });
      return running;
    },
    onChange(listener) {
      // A function of its own, so that the same listener given twice is called twice.
      const registered = () => listener();
      listeners.add(registered);
      return () => listeners.delete(registered);
    },
    problem: () => problem,
  };
}

/** How long to leave a directory alone that could not be written: each attempt may cost the making of an RSA key. */
const WRITE_AGAIN_SECONDS = 60;
const NEVER = Number.POSITIVE_INFINITY;

/** Keys in the order in which they take over, at least one. */
type Turns<Key> = readonly [Turn<Key>, ...Turn<Key>[]];

interface Turn<Key> {
  readonly key: Key;
  readonly from: EpochSeconds;
}

interface Held {
  readonly signers: ReadonlyMap<SigningAlgorithm, Turns<SigningKey>>;
  readonly published: PublicKeySet;
  readonly verificationKeys: ReadonlyMap<string, VerificationKey>;
  readonly decryptionKeys: readonly DecryptionKey[];
  /** When keys begin to sign, or began; none for one that waits for a rotation by hand. */
  readonly starts: ReadonlyMap<string, EpochSeconds | undefined>;
  readonly revoked: readonly string[];
  readonly secrets: ReadonlyMap<string, ServerSecret>;
  readonly secretTurns: Turns<ServerSecret>;
  /** The same as long as nothing changed that a listener would care for. */
  readonly identity: string;
  /** When something is due. */
  readonly nextDate: EpochSeconds;
}

function whoseTurn<Key>(turns: Turns<Key>, now: EpochSeconds): Key {
  let { key } = turns[0];
  for (const turn of turns) {
    if (turn.from <= now) {
      key = turn.key;
    }
  }
  return key;
}

function hold(contents: KeyDirectoryContents, settings: KeySettings, now: EpochSeconds, before?: Held): Held {
  const lives = livesOf(keyPairsIn(contents), settings, now).filter(({ goneAt }) => goneAt === undefined || goneAt > now);
  const signing = lives.filter(isSigning);
  const encryption = lives.filter(isEncryption).filter(({ key }) => settings.algorithms.includes(key.alg));
  const secrets = new Map(contents.secrets.map(({ id, key }) => [id, before?.secrets.get(id) ?? serverSecret(id, key)]));
  const revoked = contents.revocations.filter(({ at }) => at + retentionSeconds(settings) > now).map(({ kid }) => kid);
  const identity = [...lives.map(({ key, state }) => `${key.kid} ${state}`), ...secrets.keys(), ...revoked].join('\n');
  return {
    signers: signersOf(signing, settings, before),
    published: before?.identity === identity ? before.published : publishedKeys(signing, encryption),
    starts: new Map(signing.map(({ key, activatesAt }) => [key.kid, activatesAt])),
    revoked: before?.identity === identity ? before.revoked : revoked,
    decryptionKeys: inOrderOfUse(encryption).map(({ key }) => key),
    verificationKeys: new Map(signing.map(({ key }) => [key.kid, key])),
    secrets,
    secretTurns: turnsOf(
      contents.secrets.map(({ id, key, activatedAt }) => ({ key: secrets.get(id) ?? serverSecret(id, key), from: activatedAt })),
    ),
    identity,
    nextDate: nextDateOf(lives, now) ?? NEVER,
  };
}

function signersOf(
  lives: readonly KeyLife<StoredSigningKey>[],
  settings: KeySettings,
  before: Held | undefined,
): ReadonlyMap<SigningAlgorithm, Turns<SigningKey>> {
  // A signer keeps what it has worked out (its header), so it lives as long as its key.
  const known = new Map([...(before?.signers.values() ?? [])].flat().map(({ key }) => [key.kid, key]));
  return new Map(
    settings.algorithms
      .filter((alg) => !isEncryptionAlgorithm(alg))
      .map((alg) => [
        alg,
        turnsOf(
          lives
            .filter(({ key, state }) => key.alg === alg && state !== 'retiring')
            .flatMap(({ key, activatesAt }) =>
              activatesAt === undefined ? [] : [{ key: known.get(key.kid) ?? localSigningKey(key), from: activatesAt }],
            ),
        ),
      ]),
  );
}

function turnsOf<Key>(turns: readonly Turn<Key>[]): Turns<Key> {
  const [first, ...others] = turns;
  if (first === undefined) {
    throw new Error('The key directory was taken in before it had every key: a bug.');
  }
  return [first, ...others];
}

function isSigning(life: KeyLife<StoredKeyPair>): life is KeyLife<StoredSigningKey> {
  return life.key.kind === 'signing';
}

function isEncryption(life: KeyLife<StoredKeyPair>): life is KeyLife<StoredEncryptionKey> {
  return life.key.kind === 'encryption';
}

function publishedKeys(signing: readonly KeyLife<StoredSigningKey>[], encryption: readonly KeyLife<StoredEncryptionKey>[]): PublicKeySet {
  // Nobody has to know a key before it is encrypted for, and with one of a kind nobody has to choose.
  const lives = [...inOrderOfUse<StoredKeyPair>(signing), ...encryption.filter(({ state }) => state === 'active')];
  return { keys: lives.map(({ key }) => key.published) };
}

/** Keys that are in use first: some verifiers take the first key they can use. */
function inOrderOfUse<Key extends StoredKeyPair>(lives: readonly KeyLife<Key>[]): readonly KeyLife<Key>[] {
  return (['active', 'next', 'retiring'] as const).flatMap((wanted) => lives.filter(({ state }) => state === wanted));
}
