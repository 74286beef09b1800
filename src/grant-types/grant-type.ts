import type { AuthenticatedClient } from '../clients/authentication.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { Parameters } from '../core/parameters.ts';
import type { Confirmation } from '../grants/grant.ts';
import type { CountedRequest } from '../limits/request-limits.ts';
import type { TokenResponse } from '../tokens/token-response.ts';

/** A request to the token endpoint whose client has proved itself and may use the grant type. */
export interface TokenRequest {
  readonly client: AuthenticatedClient;
  readonly parameters: Parameters;
  readonly now: EpochSeconds;
  /** The key the request proved to hold, to which its tokens are bound; undefined: bearer tokens. */
  readonly confirmation: Confirmation | undefined;
  /** Names the request in the audit trail. */
  readonly requestId: string;
  /** What rate limits count, and the answer tells of. */
  readonly counted: CountedRequest;
}

/** One value of `grant_type`: one file each. */
export interface GrantType {
  readonly type: string;
  /** Parameters of a request that may come more than once; absent: `resource` (RFC 8707 section 2). */
  readonly mayRepeat?: readonly string[];
  /** @throws OAuthError when no token is due. What must be used up is used up last, when nothing else can refuse. */
  exchange(request: TokenRequest): Promise<TokenResponse>;
}
