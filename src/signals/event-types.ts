const CAEP = 'https://schemas.openid.net/secevent/caep/event-type';
const SSF = 'https://schemas.openid.net/secevent/ssf/event-type';

/** CAEP 1.0 section 3: the types of events this server tells of. */
export const SESSION_REVOKED = `${CAEP}/session-revoked`;
export const TOKEN_CLAIMS_CHANGE = `${CAEP}/token-claims-change`;
export const CREDENTIAL_CHANGE = `${CAEP}/credential-change`;

/** SSF 1.0 sections 8.1.4.1 and 8.1.5: about a stream itself, on every stream whatever was requested. */
export const VERIFICATION = `${SSF}/verification`;
export const STREAM_UPDATED = `${SSF}/stream-updated`;

/** What a receiver can request. */
export const EVENTS_SUPPORTED: readonly string[] = [SESSION_REVOKED, TOKEN_CLAIMS_CHANGE, CREDENTIAL_CHANGE];

/**
 * SSF 1.0 section 8.1.1: what of it a stream carries.
 * @param requested undefined: the receiver said nothing, and is told of all.
 */
export function eventsDelivered(requested: readonly string[] | undefined): readonly string[] {
  return requested === undefined ? EVENTS_SUPPORTED : EVENTS_SUPPORTED.filter((type) => requested.includes(type));
}
