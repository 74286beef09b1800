import type { AddressedRequest, Authorization } from '../authorization/authorization.ts';
import type { Subjects } from '../tokens/subjects.ts';
import type { Session } from './session.ts';

/**
 * Whether a request may be answered about the user who is logged in. OpenID Connect Core section 3.1.2.2: asked about one `sub`, the server
 * "MUST NOT reply with an ID Token or Access Token for a different user, even if they have an active session".
 * And what was asked of one user in the back channel (CIBA) is theirs alone to answer.
 */
export function isExpectedUser(
  subjects: Subjects,
  { addressed, authorization }: { readonly addressed: AddressedRequest; readonly authorization: Pick<Authorization, 'subjects'> },
  { userId }: Pick<Session, 'userId'>,
): boolean {
  const { client, deferred } = addressed;
  const expected = authorization.subjects;
  return (deferred?.userId ?? userId) === userId && (expected === undefined || expected.includes(subjects.of(client, userId)));
}
