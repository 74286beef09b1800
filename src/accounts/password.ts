import { randomBytes } from 'node:crypto';
import type * as Argon2 from '@node-rs/argon2';
import { createBoundedQueue } from './bounded-queue.ts';
import { hashInThread, verifyInThread } from './password-threads.ts';

/** argon2id as the OWASP Password Storage Cheat Sheet recommends it: 19 MiB, two passes, one lane. About 20 ms on one core. */
export const PASSWORD_HASHING = { memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 } as const;

/** Fewest characters of a new password (NIST SP 800-63B section 5.1.1.1). */
export const SHORTEST_PASSWORD_CHARACTERS = 8;
/** Most bytes, in UTF-8, of any password. */
export const LONGEST_PASSWORD_BYTES = 1_024;

/** A new password that cannot be taken. The message says why, and is for whoever sets it. */
export class UnacceptablePassword extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnacceptablePassword';
  }
}

/** What checking a password came to. */
export interface PasswordCheck {
  readonly matches: boolean;
  /** Whether the hash was made with other parameters than new ones are: to be replaced while the password is at hand. */
  readonly isOutdated: boolean;
}

/** Hashes and checks passwords in threads of their own, a few at once: each takes 19 MiB and a core. */
export interface Passwords {
  /**
   * @returns the PHC string of argon2id.
   * @throws UnacceptablePassword when it is too short, too long, or has control characters in it.
   * @throws TemporarilyUnavailable when too many are waiting.
   */
  hash(password: string): Promise<string>;
  /**
   * Whether the password is the one hashed. Takes the same time for a wrong password and for no hash at all (`undefined`: an unknown user),
   * and never matches the latter.
   * @throws TemporarilyUnavailable when too many are waiting. The password was not looked at then.
   */
  verify(passwordHash: string | undefined, password: string): Promise<PasswordCheck>;
}

/**
 * The password hashing of this process: make one, so that its limits are the limits of the process. More than two at once gain nothing on
 * a few cores.
 */
export function createPasswords(limits = { concurrency: 2, waiting: 16 }): Passwords {
  const queue = createBoundedQueue(limits);
  const nobodysHash = hashOfNothing();
  return {
    async hash(password) {
      const prepared = prepare(password);
      refuseUnacceptable(prepared);
      return queue.run(() => hashInThread(prepared, PASSWORD_HASHING));
    },
    async verify(passwordHash, password) {
      const prepared = prepare(password);
      const isPossible = passwordHash !== undefined && Buffer.byteLength(prepared) <= LONGEST_PASSWORD_BYTES;
      const compared = isPossible ? passwordHash : nobodysHash;
      return queue.run(async () => {
        const { matches, used } = await verifyInThread(compared, prepared);
        return { matches: isPossible && matches, isOutdated: isOutdated(compared, used) };
      });
    },
  };
}

/**
 * RFC 8265 section 4.2.2, OpaqueString: other spaces become the plain one, then NFC. So that one password typed on two keyboards is one.
 * Not NFKC: it would make different passwords equal.
 */
function prepare(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC');
}

function refuseUnacceptable(prepared: string): void {
  // Code points, as NIST counts.
  if (Array.from(prepared).length < SHORTEST_PASSWORD_CHARACTERS) {
    throw new UnacceptablePassword(`The password must have at least ${SHORTEST_PASSWORD_CHARACTERS} characters.`);
  }
  if (Buffer.byteLength(prepared) > LONGEST_PASSWORD_BYTES) {
    throw new UnacceptablePassword(`The password must not be longer than ${LONGEST_PASSWORD_BYTES} bytes.`);
  }
  // RFC 8264 section 4.3.3 disallows controls; half a surrogate pair would be hashed as U+FFFD, like every other half.
  if (/[\p{Cc}\p{Cs}]/u.test(prepared)) {
    throw new UnacceptablePassword('The password must not contain control characters.');
  }
}

/** A well-formed hash that no password is known for. Random, not computed: it costs nothing to make and as much as any other to verify. */
function hashOfNothing(): string {
  const { memoryCost, timeCost, parallelism, outputLen } = PASSWORD_HASHING;
  const [salt, output] = [randomBytes(16), randomBytes(outputLen)].map((bytes) => bytes.toString('base64').replaceAll('=', ''));
  return `$argon2id$v=19$m=${memoryCost},t=${timeCost},p=${parallelism}$${salt}$${output}`;
}

function isOutdated(passwordHash: string, used: ReturnType<typeof Argon2.parseOptions>): boolean {
  const isOther = (name: keyof typeof PASSWORD_HASHING) => used[name] !== PASSWORD_HASHING[name];
  return (
    !passwordHash.startsWith('$argon2id$v=19$') ||
    isOther('memoryCost') ||
    isOther('timeCost') ||
    isOther('parallelism') ||
    isOther('outputLen')
  );
}
