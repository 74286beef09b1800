import { createHmac } from 'node:crypto';
import type { Client } from '../clients/client.ts';
import { sectorOf } from '../clients/sector-identifier.ts';
import { identifierFromBytes } from '../core/identifiers.ts';

/** What clients call users and sessions (OpenID Connect Core section 8). */
export interface Subjects {
  /** The `sub` that the client knows a user by, in every token and answer. */
  of(client: Client, userId: string): string;
  /** The `sid` that the client knows a session by. */
  ofSession(client: Client, sessionId: string): string;
}

/**
 * Public subjects are the identifiers of users. A pairwise client (section 8.1) is given a keyed hash of it and of the client's sector, so that
 * clients of two sectors cannot find out by it that they share a user; nor by `sid`, which would be as good.
 * @param salt must stay the same for ever: with another one every user of these clients would be a stranger.
 */
export function subjectsWith(salt: string): Subjects {
  return {
    of: (client, userId) => nameFor(client, 'sub', userId),
    ofSession: (client, sessionId) => nameFor(client, 'sid', sessionId),
  };

  function nameFor({ metadata }: Client, claim: 'sub' | 'sid', identifier: string): string {
    if (metadata.subject_type !== 'pairwise') {
      return identifier;
    }
    const hash = createHmac('sha256', salt)
      .update(JSON.stringify([claim, sectorOf(metadata), identifier]))
      .digest();
    // In the form of a user's identifier, which no client can take for its own: 128 bits.
    return identifierFromBytes(hash, 0);
  }
}
