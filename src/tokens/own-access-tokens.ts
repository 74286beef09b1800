import type { EpochSeconds } from '../core/clock.ts';
import type { OwnTokens } from '../keys/own-tokens.ts';
import type { StatusReferences } from '../status-lists/status-references.ts';

/** The claim that `OwnAccessToken.exchangedFrom` stands in. */
export const EXCHANGED_FROM = 'exchanged_from';

/** An access token this server signed and that has not expired. Whether it has been revoked is another question. */
export interface OwnAccessToken {
  readonly jti: string;
  readonly clientId: string;
  readonly audience: readonly string[];
  readonly expiresAt: EpochSeconds;
  /** The grant it is a credential of; undefined: the client acts for itself. */
  readonly grantId: string | undefined;
  /** Its entry in the status lists; undefined: it names none. */
  readonly statusEntry: number | undefined;
  /** The `jti` of each token that it was exchanged from in turn (RFC 8693), where no entry of the status lists ends them together. */
  readonly exchangedFrom: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
}

/** @returns undefined for whatever is not a live access token of ours. */
export type AccessTokenReader = (token: string, now: EpochSeconds) => Promise<OwnAccessToken | undefined>;

/** Reads our own access tokens back (RFC 9068 section 4), for introspection, revocation and userinfo. */
export function accessTokenReader(rooms: {
  readonly issuer: string;
  readonly tokens: OwnTokens;
  readonly references: Pick<StatusReferences, 'entryIn'>;
}): AccessTokenReader {
  return async (token, now) => {
    const claims = await rooms.tokens.verify(token, { typ: 'at+jwt' });
    if (claims === undefined || claims['iss'] !== rooms.issuer) {
      return undefined;
    }
    const { jti, client_id: clientId, aud, exp, grant_id: grantId } = claims;
    if (typeof jti !== 'string' || typeof clientId !== 'string' || typeof exp !== 'number' || now >= exp) {
      return undefined;
    }
    return {
      jti,
      clientId,
      audience: typeof aud === 'string' ? [aud] : textsOf(aud),
      expiresAt: exp,
      grantId: typeof grantId === 'string' ? grantId : undefined,
      statusEntry: rooms.references.entryIn(claims),
      exchangedFrom: textsOf(claims[EXCHANGED_FROM]),
      claims,
    };
  };
}

const NONE: readonly never[] = [];

function textsOf(claim: unknown): readonly string[] {
  return Array.isArray(claim) ? claim.filter((one) => typeof one === 'string') : NONE;
}
