import type { Client } from '../clients/client.ts';
import type { Clients } from '../clients/clients.ts';
import type { Grant } from '../grants/grant.ts';
import type { Grants } from '../grants/grants.ts';
import type { StatusLists } from '../status-lists/status-lists.ts';
import type { OwnAccessToken } from './own-access-tokens.ts';
import type { RevokedAccessTokens } from './revoked-access-tokens.ts';

/** Whose credential an access token is. */
export interface AccessTokenBacking {
  /** That it was issued to, which for an exchanged token (RFC 8693) is not the grant's. */
  readonly client: Client;
  /** undefined: the client acts for itself. */
  readonly grant: Grant | undefined;
}

/**
 * What stands behind an access token at this moment. A revoked token or grant, a disabled user or a deleted client make it worth nothing at
 * once, however long it would live by itself.
 * @returns undefined then.
 */
export type AccessTokenBacker = (token: OwnAccessToken) => Promise<AccessTokenBacking | undefined>;

export function accessTokenBacker(rooms: {
  readonly revokedAccessTokens: Pick<RevokedAccessTokens, 'has'>;
  readonly clients: Pick<Clients, 'find'>;
  readonly grants: Pick<Grants, 'find'>;
  readonly statusLists: Pick<StatusLists, 'isInvalid'> | undefined;
}): AccessTokenBacker {
  const { revokedAccessTokens, clients, grants, statusLists } = rooms;

  return async ({ jti, clientId, grantId, statusEntry, exchangedFrom, claims: { sub } }) => {
    // Whoever reads the lists takes it for invalid, so nobody may be told otherwise here.
    if (statusEntry !== undefined && statusLists?.isInvalid(statusEntry) === true) {
      return undefined;
    }
    const client = await clients.find(clientId);
    if (client === undefined) {
      return undefined;
    }
    // One of a grant that names an entry ends with that entry, which the grant tells, and never stands in the list of its own (RFC 7009).
    const endsWithGrant = grantId !== undefined && statusEntry !== undefined;
    if (!endsWithGrant && (await revokedAccessTokens.has(jti))) {
      return undefined;
    }
    for (const origin of exchangedFrom) {
      if (await revokedAccessTokens.has(origin)) {
        return undefined;
      }
    }
    if (grantId === undefined) {
      // One that was exchanged (RFC 8693) is another client's to use than the one it is about, and both must still be there.
      const isThere = sub === clientId || (typeof sub === 'string' && (await clients.find(sub)) !== undefined);
      return isThere ? { client, grant: undefined } : undefined;
    }
    const grant = await grants.find(grantId);
    if (grant === undefined || grant.revokedAt !== undefined || grant.user.disabled) {
      return undefined;
    }
    // Its tokens have another entry than this one by now: it ended with those that were revoked (RFC 7009).
    return statusEntry === undefined || statusEntry === grant.statusEntry ? { client, grant } : undefined;
  };
}
