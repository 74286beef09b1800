import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import { detailsMember } from '../authorization-details/authorization-detail.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { formatScope } from '../core/scope.ts';
import type { Grant } from '../grants/grant.ts';
import type { IssuedAccessToken } from './access-token.ts';

/** RFC 6749 section 5.1, with the lifetimes of draft-ietf-oauth-refresh-token-expiration-03. */
export interface TokenResponse {
  readonly access_token: string;
  /** RFC 6749 section 7.1; `DPoP` by RFC 9449 section 5; `N_A` by RFC 8693 section 2.2.1 for what is no access token. */
  readonly token_type: 'Bearer' | 'DPoP' | 'N_A';
  readonly expires_in: number;
  readonly scope?: string;
  /** RFC 9396 section 7: those of the access token. */
  readonly authorization_details?: AuthorizationDetails;
  /** For whom the access token is, told where the grant names resources and the request need not. */
  readonly resource?: string | readonly string[];
  readonly refresh_token?: string;
  /** RFC 8693 section 2.2.1. */
  readonly issued_token_type?: string;
  /** OpenID Connect Core section 3.1.3.3. */
  readonly id_token?: string;
  /** Seconds until the refresh token ends unless it is used. */
  readonly refresh_token_timeout?: number;
  /** Seconds until the grant ends, however often it is refreshed. */
  readonly authorization_expires_in?: number;
}

/** What a token response is made of. */
export interface IssuedTokens {
  readonly accessToken: IssuedAccessToken;
  /** The refresh token that goes with it, and the grant as it is now. */
  readonly refresh?: { readonly token: string; readonly grant: Grant } | undefined;
  readonly idToken?: string | undefined;
}

export function tokenResponse({ accessToken, refresh, idToken }: IssuedTokens, now: EpochSeconds): TokenResponse {
  const { scope, authorizationDetails } = accessToken;
  const cap = refresh?.grant.absoluteExpiresAt;
  return {
    access_token: accessToken.token,
    token_type: accessToken.tokenType,
    expires_in: accessToken.expiresIn,
    ...(scope.length === 0 ? {} : { scope: formatScope(scope) }),
    ...detailsMember(authorizationDetails),
    ...(refresh === undefined ? {} : { refresh_token: refresh.token, refresh_token_timeout: refresh.grant.expiresAt - now }),
    ...(cap === undefined ? {} : { authorization_expires_in: cap - now }),
    ...(idToken === undefined ? {} : { id_token: idToken }),
  };
}

/** `{ resource }`, in the form of the parameter (RFC 8707 section 2) or of the claim `aud`; nothing where there is none. */
export function resourceMember(resources: readonly string[]): Pick<TokenResponse, 'resource'> {
  const [first] = resources;
  return first === undefined ? {} : { resource: resources.length > 1 ? resources : first };
}
