import { canonicalUsername } from '../accounts/canonical-username.ts';
import type { User, Users } from '../accounts/user.ts';
import type { Client } from '../clients/client.ts';
import { InvalidRequest } from '../core/errors.ts';
import type { IdTokenReader } from '../tokens/own-id-tokens.ts';
import { UnknownUserId } from './backchannel-errors.ts';
import type { UserHint } from './backchannel-request.ts';

/**
 * Finds whom a client asks about: by an ID token it was given, by the `sub` it knows, or by a name as it would be typed at the login.
 * @throws UnknownUserId when it is nobody, or somebody who is disabled; InvalidRequest when the hint itself is wrong.
 */
export type HintedUserFinder = (client: Client, hint: UserHint) => Promise<User>;

export function hintedUserFinder(rooms: {
  readonly users: Pick<Users, 'find' | 'findByUsername'>;
  readonly readIdToken: IdTokenReader;
}): HintedUserFinder {
  const { users, readIdToken } = rooms;

  return async (client, hint) => {
    const found = hint.kind === 'id_token_hint' ? await byIdToken(client, hint.value) : await byName(client, hint.value);
    if (found === undefined || found.disabledAt !== undefined) {
      throw new UnknownUserId('The hint names no user who could be asked.');
    }
    return found;
  };

  async function byIdToken(client: Client, hint: string): Promise<User | undefined> {
    const idToken = await readIdToken(hint);
    if (idToken?.clientId !== client.id) {
      throw new InvalidRequest('The id_token_hint is not an ID token that this server issued to the client.');
    }
    if (isPairwise(client)) {
      throw new InvalidRequest('An id_token_hint is not supported for a client with pairwise subjects: send a login_hint.');
    }
    return users.find(idToken.subject);
  }

  async function byName(client: Client, hint: string): Promise<User | undefined> {
    const name = canonicalUsername(hint);
    const bySubject = isPairwise(client) ? undefined : await users.find(hint);
    return bySubject ?? (name === undefined ? undefined : users.findByUsername(name));
  }
}

/** From what such a client calls a user nobody gets back to the user, and what others call them is nothing it should know. */
function isPairwise({ metadata }: Client): boolean {
  return metadata.subject_type === 'pairwise';
}
