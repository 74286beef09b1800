import type { User } from '../accounts/user.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { digest } from '../core/secrets.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { mintBytes, proveBytes } from '../tokens/authenticated-bytes.ts';

/** A login whose password was right and whose code is still to come. */
export interface HalfDoneLogin {
  readonly userId: string;
  /** Whether the user is still the one whose password was right: not disabled, and with no other password since. */
  isOf(user: User): boolean;
}

/**
 * Signs half-done logins, and reads them back. One travels with the form for the code, whose token binds it to the browser and to the request;
 * there is no session before the login is done, and so none that could be used too early.
 */
export interface HalfDoneLogins {
  sign(user: User, now: EpochSeconds): string;
  /** @returns undefined when the text was not signed here, or too long ago. */
  open(text: string, now: EpochSeconds): HalfDoneLogin | undefined;
}

const DOMAIN = 'keyturn half-done login';
/** Enough to find a telephone. */
export const HALF_DONE_LOGIN_SECONDS = 300;

export function halfDoneLogins(secrets: ServerSecrets): HalfDoneLogins {
  return {
    sign(user, now) {
      const values: Signed = [now, user.id, digest(user.passwordHash)];
      return mintBytes(secrets, DOMAIN, Buffer.from(JSON.stringify(values)));
    },
    open(text, now) {
      const proven = proveBytes(secrets, DOMAIN, text);
      if (proven === undefined) {
        return undefined;
      }
      // Proven bytes are our own: their shape is what `sign` gave them.
      const [signedAt, userId, passwordDigest] = JSON.parse(proven.toString()) as Signed;
      if (now >= signedAt + HALF_DONE_LOGIN_SECONDS) {
        return undefined;
      }
      return {
        userId,
        isOf: (user) => user.id === userId && user.disabledAt === undefined && digest(user.passwordHash) === passwordDigest,
      };
    },
  };
}

type Signed = readonly [signedAt: EpochSeconds, userId: string, passwordDigest: string];
