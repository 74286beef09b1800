import type { EpochSeconds } from '../core/clock.ts';
import { looksEncrypted, type OwnDecryption } from '../keys/own-decryption.ts';
import type { OwnTokens } from '../keys/own-tokens.ts';

/** An ID token this server issued, however long ago: what it says about who logged in at whom. */
export interface OwnIdToken {
  readonly subject: string;
  /** The client it was issued to. */
  readonly clientId: string;
  readonly sessionId: string | undefined;
  /** From then on it is worth nothing but as a hint. */
  readonly expiresAt: EpochSeconds;
  /** The grant that it came with; undefined: its client was not registered for ID-JAGs then. */
  readonly grantId: string | undefined;
}

/** @returns undefined for whatever is not an ID token of ours, or was signed with a key that is no longer published. */
export type IdTokenReader = (token: string) => Promise<OwnIdToken | undefined>;

/**
 * Reads our own ID tokens back as hints (OpenID Connect Core section 3.1.2.1; RP-Initiated Logout section 2). One that has expired says as
 * much as before about whose login it was. A client that got it encrypted sends what was inside, or encrypts that for this server (Core section
 * 3.1.2.1).
 */
export function idTokenReader(rooms: {
  readonly issuer: string;
  readonly tokens: OwnTokens;
  readonly decryption: OwnDecryption;
}): IdTokenReader {
  return async (token) => {
    const signed = looksEncrypted(token) ? await rooms.decryption.open(token) : token;
    const claims = signed && (await rooms.tokens.verify(signed, { typ: 'JWT' }));
    const { iss, sub, aud, exp, auth_time: authTime, sid, grant_id: grantId } = claims || {};
    // Signed userinfo is of the same type and for the same audience, and tells of no login.
    if (
      iss !== rooms.issuer ||
      typeof sub !== 'string' ||
      typeof aud !== 'string' ||
      typeof authTime !== 'number' ||
      typeof exp !== 'number'
    ) {
      return undefined;
    }
    return { subject: sub, clientId: aud, sessionId: textOf(sid), expiresAt: exp, grantId: textOf(grantId) };
  };
}

function textOf(claim: unknown): string | undefined {
  return typeof claim === 'string' ? claim : undefined;
}
