import type { EpochSeconds } from '../core/clock.ts';
import type { Scope } from '../core/scope.ts';

/** How and when the user authenticated for a grant. */
export interface Authentication {
  readonly authTime: EpochSeconds;
  /** RFC 8176 authentication method references, such as `pwd`. */
  readonly methods: readonly string[];
  /** The browser session the grant was made in; its logout can end the grant. */
  readonly sessionId: string;
}

/** What the authorization code must be redeemed with. Forgotten once the code is spent. */
export interface CodeBinding {
  readonly redirectUri: string;
  /** Whether the request named the redirect URI: only then must the token request repeat it (RFC 6749 section 4.1.3). */
  readonly redirectUriGiven: boolean;
  /** RFC 7636 section 4.2, method S256. */
  readonly codeChallenge: string | undefined;
}

/** The user of a grant, as it is now and not as it was at login. */
export interface GrantUser {
  readonly id: string;
  readonly disabled: boolean;
  /** Members the deployment adds to the access tokens of this user. */
  readonly accessTokenClaims: Readonly<Record<string, unknown>>;
}

/**
 * RFC 6749 section 1.3, "authorization grant": who let which client do what, until when. One record for the life of the authorization;
 * the code, the refresh tokens and the access tokens are credentials of it. Generation 0 is the authorization code, 1 and on are the
 * refresh tokens; `generation` is the one that is live.
 */
export interface Grant {
  readonly id: string;
  readonly clientId: string;
  readonly user: GrantUser;
  readonly scope: Scope;
  /** RFC 8707 resource indicators the grant is for; none: the client's own default. */
  readonly resources: readonly string[];
  readonly authentication: Authentication;
  readonly code: CodeBinding | undefined;
  readonly generation: number;
  /** When this generation became the live one. */
  readonly generationAt: EpochSeconds;
  /** When the live credential ends by itself: the code's lifetime, then the refresh token's idle lifetime, never past the cap. */
  readonly expiresAt: EpochSeconds;
  /** The cap that no use moves; undefined: none. */
  readonly absoluteExpiresAt: EpochSeconds | undefined;
  readonly createdAt: EpochSeconds;
  readonly revokedAt: EpochSeconds | undefined;
  readonly revocationReason: RevocationReason | undefined;
}

/** Why a grant ended before its time. */
export type RevocationReason =
  | 'authorization_code_reuse'
  | 'refresh_token_reuse'
  | 'client_request'
  | 'operator'
  | 'user_disabled'
  | 'logout'
  | 'client_deleted';
