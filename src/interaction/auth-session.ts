import type { EpochSeconds } from '../core/clock.ts';
import { OAuthError } from '../core/errors.ts';
import type { Confirmation } from '../grants/grant.ts';
import { openSealedText, sealText } from '../keys/sealed-text.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';

/**
 * What has happened so far of a login without a browser (draft-ietf-oauth-first-party-apps-03 section 5.3.1). The client holds it and cannot
 * read it ("the authorization server MUST adequately protect the value from inspection by the client"); nothing of it is stored here.
 */
export interface AuthSession {
  /** The client it was given to: nobody else may go on with it. */
  readonly clientId: string;
  /** The key that its first request proved to hold; undefined: none. */
  readonly confirmation: Confirmation | undefined;
  /** The authorization request, as `PendingRequests.sign` gave it: follow-ups cannot change what is asked for. */
  readonly request: string;
  /** The login whose password was right, as `HalfDoneLogins.sign` gave it; undefined: none yet. */
  readonly login: string | undefined;
  readonly endsAt: EpochSeconds;
  /** Digest of the `request` or `request_uri` that it began with, by which a client that repeats it is known; undefined: it had none. */
  readonly reference: string | undefined;
}

/** Seals auth sessions, and opens them. */
export interface AuthSessions {
  seal(session: AuthSession): string;
  /** @returns undefined when the text was not sealed here, or the session is over. */
  open(text: string, now: EpochSeconds): AuthSession | undefined;
}

/** Section 5.2.2.1: the `auth_session` is invalid, or over. Another client's and another key's are told alike. */
export class InvalidSession extends OAuthError {
  readonly code = 'invalid_session';

  constructor(detail: string) {
    super('The auth_session is not valid: it is unknown, too old, of another client, or bound to another key. Begin again.', detail);
  }
}

/** How long a login without a browser may take, from its first request on: follow-ups do not make it longer. */
export const AUTH_SESSION_SECONDS = 600;

// Whose it is stands inside, because a client may send it in place of its name (section 5.1).
const SEAL = { domain: 'keyturn auth session', owner: 'auth_session' };

export function authSessions(secrets: ServerSecrets): AuthSessions {
  return {
    seal({ clientId, confirmation, request, login, endsAt, reference }) {
      const values: Sealed = [endsAt, clientId, confirmation ?? null, request, login ?? null, reference ?? null];
      return sealText(secrets, SEAL, JSON.stringify(values));
    },
    open(text, now) {
      const opened = openSealedText(secrets, SEAL, text);
      if (opened === undefined) {
        return undefined;
      }
      // What could be opened is our own: its shape is what `seal` gave it.
      const [endsAt, clientId, confirmation, request, login, reference] = JSON.parse(opened) as Sealed;
      return now >= endsAt
        ? undefined
        : {
            endsAt,
            clientId,
            confirmation: confirmation ?? undefined,
            request,
            login: login ?? undefined,
            reference: reference ?? undefined,
          };
    },
  };
}

type Sealed = readonly [
  endsAt: EpochSeconds,
  clientId: string,
  confirmation: Confirmation | null,
  request: string,
  login: string | null,
  reference?: string | null,
];
