import type { MetadataReader } from './metadata-reader.ts';
import { redirectUriProblem } from './redirect-uri.ts';

/** What a client says about the end of its users' sessions. */
export interface LogoutClientMetadata {
  /** OpenID Connect RP-Initiated Logout section 3.1: where a browser may be sent on to after a logout, byte for byte. */
  readonly post_logout_redirect_uris?: readonly string[];
  /** OpenID Connect Back-Channel Logout section 2.2: where it is told that a session is over. */
  readonly backchannel_logout_uri?: string;
  /** It needs `sid` in logout tokens. They always have it. */
  readonly backchannel_logout_session_required?: boolean;
  /**
   * The end of a session ends the grants that were made in it, but those with `offline_access`. Absent: grants live on. Back-Channel Logout
   * section 2.7 would rather end them (SHOULD); but apps on a phone refresh for long after the browser they logged in by is done.
   */
  readonly revoke_grants_on_logout?: boolean;
}

/**
 * Reads these members, each for itself.
 * @param rules.privateAddresses whether a logout may be told by http: only to this machine, and only with OUTBOUND_PRIVATE_ADDRESSES.
 * @param rules.refuse is told what is wrong, one sentence that begins with the member's name, and throws.
 */
export function readLogoutMetadata(
  members: MetadataReader,
  rules: { readonly privateAddresses: boolean; readonly refuse: (problem: string) => never },
): LogoutClientMetadata {
  const { privateAddresses, refuse } = rules;
  const redirectUris = members.strings('post_logout_redirect_uris');
  for (const uri of redirectUris ?? []) {
    const problem = redirectUriProblem(uri);
    if (problem !== undefined) {
      return refuse(`post_logout_redirect_uris: ${JSON.stringify(uri)} ${problem}.`);
    }
  }
  const { backchannel_logout_uri: uri } = members.webUris(['backchannel_logout_uri']);
  if (uri !== undefined && !isReachable(uri, privateAddresses)) {
    return refuse('backchannel_logout_uri: must be an https address without user information and fragment.');
  }
  return {
    ...members.optional('post_logout_redirect_uris', redirectUris),
    ...members.optional('backchannel_logout_uri', uri),
    ...members.optional('backchannel_logout_session_required', members.flag('backchannel_logout_session_required')),
    ...members.optional('revoke_grants_on_logout', members.flag('revoke_grants_on_logout')),
  };
}

function isReachable(uri: string, privateAddresses: boolean): boolean {
  const { protocol, username, password } = new URL(uri);
  return !uri.includes('#') && username === '' && password === '' && (protocol === 'https:' || privateAddresses);
}
