import { isDeepStrictEqual } from 'node:util';
import { claimsAbout, claimsOfScope } from '../accounts/standard-claims.ts';
import type { User } from '../accounts/user.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { newIdentifier } from '../core/identifiers.ts';
import type { Scope } from '../core/scope.ts';
import type { EventStream } from './event-stream.ts';
import { CREDENTIAL_CHANGE, eventsDelivered, SESSION_REVOKED, TOKEN_CLAIMS_CHANGE } from './event-types.ts';
import { EVENT_LIFETIME_SECONDS, type EventSubject, type NewSecurityEvent } from './security-event.ts';

/** Why something changed. */
export type ChangeCause =
  | 'logout'
  | 'another_login'
  | 'password_set'
  | 'user_disabled'
  | 'signed_out_by_operator'
  | 'authenticator_enrolled_by_user'
  | 'authenticator_enrolled_by_operator'
  | 'authenticator_removed'
  | 'claims_set'
  | 'profile_set';

/** One change, which several receivers may be told of in several events. */
export interface Change {
  readonly cause: ChangeCause;
  /** Names it in all of these events. */
  readonly txn: string;
  readonly at: EpochSeconds;
}

/** A change that happens now. */
export function changeOf(cause: ChangeCause, at: EpochSeconds): Change {
  return { cause, txn: newIdentifier(), at };
}

/** Where an event may go: a stream, and what makes its client one to be told. */
export type Audience = Pick<EventStream, 'id' | 'clientId' | 'eventsRequested'>;

/** CAEP 1.0 section 3.1, for each session that a client has a grant of. */
export function sessionRevoked(
  stream: Audience,
  session: { readonly userId: string; readonly id: string },
  change: Change,
): NewSecurityEvent[] {
  return eventFor(stream, SESSION_REVOKED, { kind: 'session', userId: session.userId, sessionId: session.id }, change, {});
}

/** CAEP 1.0 section 3.3. `app`: one-time codes come from an app. */
export interface CredentialChange {
  readonly credentialType: 'password' | 'app';
  readonly changeType: 'create' | 'update' | 'delete';
}

/** CAEP 1.0 section 3.3. */
export function credentialChanged(
  stream: Audience,
  userId: string,
  { credentialType, changeType }: CredentialChange,
  change: Change,
): NewSecurityEvent[] {
  const event = { credential_type: credentialType, change_type: changeType };
  return eventFor(stream, CREDENTIAL_CHANGE, { kind: 'user', userId }, change, event);
}

/** What tokens say of a user, before or after a change. */
export interface TokenClaims {
  /** Members that the deployment adds to access tokens: whoever is given one for the user has seen them. */
  readonly ofAccessTokens: Readonly<Record<string, unknown>>;
  /** By scope. */
  readonly ofUser: Readonly<Record<string, unknown>>;
}

/** @returns what tokens say of a user as it is. */
export function tokenClaimsOf(user: User): TokenClaims {
  // When something changed is no claim that changed.
  const { updated_at: _, ...ofUser } = claimsAbout(user);
  return { ofAccessTokens: user.accessTokenClaims, ofUser };
}

/**
 * CAEP 1.0 section 3.2: the claims that have another value, and null for those that are gone. Of the claims about the user, only those that the
 * client was granted a look at: a receiver learns nothing here that it could not have asked for.
 */
export function tokenClaimsChanged(
  stream: Audience,
  about: { readonly userId: string; readonly scope: Scope; readonly before: TokenClaims; readonly after: TokenClaims },
  change: Change,
): NewSecurityEvent[] {
  const { userId, scope, before, after } = about;
  const visible = new Set(scope.flatMap(claimsOfScope));
  const ofUser = Object.entries(differences(before.ofUser, after.ofUser)).filter(([claim]) => visible.has(claim));
  const claims = { ...differences(before.ofAccessTokens, after.ofAccessTokens), ...Object.fromEntries(ofUser) };
  return Object.keys(claims).length === 0 ? [] : eventFor(stream, TOKEN_CLAIMS_CHANGE, { kind: 'user', userId }, change, { claims });
}

function differences(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changed = names.filter((name) => !isDeepStrictEqual(before[name], after[name]));
  return Object.fromEntries(changed.map((name) => [name, after[name] ?? null]));
}

/** CAEP 1.0 section 2: who set it off, and why in words for the receiver's operators. */
const CAUSES: Readonly<Record<ChangeCause, { readonly by: 'user' | 'admin'; readonly reason: string }>> = {
  logout: { by: 'user', reason: 'The user logged out.' },
  another_login: { by: 'user', reason: 'Another user logged in with the same browser.' },
  password_set: { by: 'admin', reason: 'The password of the user was set by an operator.' },
  user_disabled: { by: 'admin', reason: 'The user was disabled by an operator.' },
  signed_out_by_operator: { by: 'admin', reason: 'The sessions of the user were ended by an operator.' },
  authenticator_enrolled_by_user: { by: 'user', reason: 'The user enrolled an authenticator.' },
  authenticator_enrolled_by_operator: { by: 'admin', reason: 'An operator gave the user an authenticator.' },
  authenticator_removed: { by: 'admin', reason: 'The authenticator of the user was taken away by an operator.' },
  claims_set: { by: 'admin', reason: 'The claims of the user were set by an operator.' },
  profile_set: { by: 'admin', reason: 'The profile of the user was set by an operator.' },
};

function eventFor(
  stream: Audience,
  type: string,
  subject: EventSubject,
  { cause, txn, at }: Change,
  specific: Readonly<Record<string, unknown>>,
): NewSecurityEvent[] {
  if (!eventsDelivered(stream.eventsRequested).includes(type)) {
    return [];
  }
  const { by, reason } = CAUSES[cause];
  return [
    {
      id: newIdentifier(),
      streamId: stream.id,
      clientId: stream.clientId,
      type,
      subject,
      txn,
      event: { ...specific, event_timestamp: at, initiating_entity: by, reason_admin: { en: reason } },
      createdAt: at,
      expiresAt: at + EVENT_LIFETIME_SECONDS,
    },
  ];
}
