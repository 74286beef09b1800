import type { Client } from '../clients/client.ts';
import type { Subjects } from '../tokens/subjects.ts';
import type { Session } from './session.ts';

/**
 * Whether a request may be answered about the user who is logged in. OpenID Connect Core section 3.1.2.2: asked about one `sub`, the server
 * "MUST NOT reply with an ID Token or Access Token for a different user, even if they have an active session".
 * @param expected the subjects that the request names; undefined: anybody.
 */
export function isExpectedUser(subjects: Subjects, client: Client, expected: readonly string[] | undefined, session: Session): boolean {
  return expected === undefined || expected.includes(subjects.of(client, session.userId));
}
