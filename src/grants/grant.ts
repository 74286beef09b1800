import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { Scope } from '../core/scope.ts';

/** How and when the user authenticated for a grant. */
export interface Authentication {
  readonly authTime: EpochSeconds;
  /** RFC 8176 authentication method references, such as `pwd`; none: the user did not log in here for it. */
  readonly methods: readonly string[];
  /** The browser session the grant was made in; its logout can end the grant. */
  readonly sessionId: string;
}

/** What the authorization code must be redeemed with. Kept when it is spent: only who could redeem it can reuse it. */
export interface CodeBinding {
  readonly redirectUri: string;
  /** Whether the request named the redirect URI: only then must the token request repeat it (RFC 6749 section 4.1.3). */
  readonly redirectUriGiven: boolean;
  /** RFC 7636 section 4.2, method S256. */
  readonly codeChallenge: string | undefined;
}

/**
 * RFC 7800 section 3: the key that whoever presents a token must prove to hold. `jkt` is the thumbprint of a DPoP key (RFC 9449 section 6.1),
 * `x5t#S256` that of a client certificate (RFC 8705 section 3.1), both base64url.
 */
export type Confirmation =
  | { readonly method: 'jkt'; readonly thumbprint: string }
  | { readonly method: 'x5t#S256'; readonly thumbprint: string };

/** What one claim of a `claims` request asks for (OpenID Connect Core section 5.5.1); null: the claim, in its default manner. */
export type ClaimRequest = {
  readonly essential?: boolean;
  readonly value?: unknown;
  readonly values?: readonly unknown[];
} | null;

/** OpenID Connect Core section 5.5. */
export interface ClaimsRequest {
  readonly id_token?: Readonly<Record<string, ClaimRequest>>;
  readonly userinfo?: Readonly<Record<string, ClaimRequest>>;
}

/** What an OpenID Connect request asked for, as far as tokens answer to it later. */
export interface OpenIdRequest {
  readonly nonce?: string;
  readonly claims?: ClaimsRequest;
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
  /** RFC 9396: what the user agreed to, element by element. */
  readonly authorizationDetails: AuthorizationDetails;
  readonly authentication: Authentication;
  readonly code: CodeBinding;
  /** undefined: the scope has no `openid`. */
  readonly openid: OpenIdRequest | undefined;
  /** The key that the grant's own credentials are bound to; undefined: none, or only the client's authentication. */
  readonly confirmation: Confirmation | undefined;
  /** The first generation that is bound to it: those before were of use to anybody. undefined: none is. */
  readonly boundFrom: number | undefined;
  readonly generation: number;
  /** When this generation became the live one. */
  readonly generationAt: EpochSeconds;
  /** When the live credential ends by itself: the code's lifetime, then the refresh token's idle lifetime, never past the cap. */
  readonly expiresAt: EpochSeconds;
  /** The cap that no use moves; undefined: none. */
  readonly absoluteExpiresAt: EpochSeconds | undefined;
  readonly createdAt: EpochSeconds;
  /** Its place in the status lists, which its access tokens name; undefined: made by a version that had none. */
  readonly statusEntry: number | undefined;
  readonly revokedAt: EpochSeconds | undefined;
  readonly revocationReason: RevocationReason | undefined;
}

/** Why a grant ended before its time. */
export type RevocationReason =
  | 'authorization_code_reuse'
  | 'refresh_token_reuse'
  | 'deferred_request_reuse'
  | 'already_decided'
  | 'client_request'
  | 'operator'
  | 'user_disabled'
  | 'logout'
  | 'client_deleted';
