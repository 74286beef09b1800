import type { SigningAlgorithm } from '../config/config.ts';
import type { DecryptionKey } from './own-decryption.ts';
import type { VerificationKey } from './own-tokens.ts';
import type { PublicKeySet } from './public-jwk.ts';
import type { ServerSecrets } from './server-secrets.ts';
import type { SigningKey } from './signing-key.ts';

/** The server's keys in memory, as they are at this moment. Hold the ring, not a key of it: keys come and go while the server runs. */
export interface KeyRing {
  /**
   * The key that signs now with this algorithm.
   * @throws Error when the algorithm is not one of SIGNING_ALGS (a caller's bug: clients may only register for those).
   */
  current(alg: SigningAlgorithm): SigningKey;
  /**
   * Public members only. Every key a verifier may need: those that sign, those that will, and those whose tokens still live. And the one key
   * of each kind to encrypt for: whoever still has an older one is understood too (OpenID Connect Core section 10.2.1). The same object until
   * something changes.
   */
  published(): PublicKeySet;
  /** How long caches may keep the key set: short enough that all have the next key well before it signs. */
  readonly jwksMaxAgeSeconds: number;
  /** Those that what was encrypted for this server may be for, the ones that were published lately among them. None with encryption off. */
  decryptionKeys(): readonly DecryptionKey[];
  /** One of the published keys that sign, for verifying our own tokens. */
  verificationKey(kid: string): VerificationKey | undefined;
  /** Whether a published key has still to sign its first token. */
  isNext(kid: string): boolean;
  /** Keys that were revoked, as long as tokens they signed might be alive. The same list until something changes. */
  revoked(): readonly string[];
  readonly secrets: ServerSecrets;
  /**
   * Takes in what changed in the key directory (by this or another process, or the command line), and does what is due: activates,
   * makes, removes keys. Meant to be called every second or so; costs a few `lstat` calls when nothing changed. Never rejects: on a problem
   * the ring goes on with what it has.
   */
  reload(): Promise<void>;
  /** Calls `listener` after each change of the published keys, the signing keys or the secrets, in order of registration. Returns how to stop. */
  onChange(listener: () => void): () => void;
  /** What kept the last `reload` from being complete, for the health endpoint; undefined when all is well. */
  problem(): string | undefined;
}
