import type { LoginAttempt, LoginOutcome } from './accounts/authenticate-user.ts';
import type { Users } from './accounts/user.ts';
import type { CodeIssuer } from './authorization/code-issuer.ts';
import type { Clients } from './clients/clients.ts';
import type { Lifetimes } from './config/config.ts';
import type { AuditTrail } from './core/audit.ts';
import type { Clock } from './core/clock.ts';
import type { Grants } from './grants/grants.ts';
import type { BrowserSessions } from './interaction/browser-sessions.ts';
import type { Consents } from './interaction/consents.ts';
import type { Forms } from './interaction/forms.ts';
import type { InteractionPages, InteractionPaths } from './interaction/interaction-pages.ts';
import type { PendingRequests } from './interaction/pending-request.ts';
import type { KeyRing } from './keys/key-ring.ts';
import type { AccessTokenIssuer } from './tokens/access-token.ts';
import type { GrantCredentials } from './tokens/grant-credentials.ts';
import type { AccessTokenReader } from './tokens/own-access-tokens.ts';
import type { RevokedAccessTokens } from './tokens/revoked-access-tokens.ts';
import type { UsedIdentifiers } from './tokens/used-identifiers.ts';

/** Everything a feature can be built from. Each takes what it needs and no more. */
export interface Rooms {
  readonly issuer: string;
  readonly clock: Clock;
  readonly audit: AuditTrail;
  readonly lifetimes: Lifetimes;
  readonly keys: KeyRing;
  readonly clients: Clients;
  readonly users: Users;
  readonly authenticateUser: (attempt: LoginAttempt) => Promise<LoginOutcome>;
  readonly grants: Grants;
  readonly credentials: GrantCredentials;
  readonly issueAccessToken: AccessTokenIssuer;
  readonly readAccessToken: AccessTokenReader;
  readonly revokedAccessTokens: RevokedAccessTokens;
  readonly usedIdentifiers: UsedIdentifiers;
  readonly issueCode: CodeIssuer;
  readonly consents: Consents;
  readonly sessions: BrowserSessions;
  readonly forms: Forms;
  readonly pendingRequests: PendingRequests;
  readonly pages: InteractionPages;
  readonly paths: InteractionPaths;
}
