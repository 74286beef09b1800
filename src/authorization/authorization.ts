import type { AuthorizationDetails } from '../authorization-details/authorization-detail.ts';
import { NO_DETAILS } from '../authorization-details/authorization-detail.ts';
import type { Client } from '../clients/client.ts';
import type { Scope } from '../core/scope.ts';
import type { Confirmation, OpenIdRequest } from '../grants/grant.ts';
import type { ReceivedRequest } from './received-request.ts';
import type { ResponseMode } from './response-modes.ts';

/**
 * An authorization request whose client and redirect URI are proven. Before it exists an error is a page for the user, after it an error may
 * be sent to the client: nothing but this type decides where (RFC 6749 section 4.1.2.1).
 */
export interface AddressedRequest extends ReceivedRequest {
  readonly client: Client;
  /**
   * undefined: it is deferred. Its answer is for the client to ask for, and no browser goes anywhere with it. '': the client is answered by itself,
   * and has none, or several and named none.
   */
  readonly redirectUri: string | undefined;
  /** Whether the request named it, rather than the client having only one. */
  readonly redirectUriGiven: boolean;
  readonly state: string | undefined;
  /** How every answer goes to the client, errors included. */
  readonly responseMode: ResponseMode;
}

/** Authentication context classes that a request asks for. */
export interface RequestedContextClasses {
  /** Those that can be reached here, in order of preference; at least one. */
  readonly values: readonly [string, ...string[]];
  /** Whether the request fails where none is reached. Otherwise what can be done is done, and tokens say what it was. */
  readonly isRequired: boolean;
}

/** What an authorization request asks for, once every rule has passed it. */
export interface Authorization {
  readonly scope: Scope;
  /** RFC 8707. */
  readonly resources: readonly string[];
  /** RFC 9396. */
  readonly authorizationDetails: AuthorizationDetails;
  /** RFC 7636, method S256. */
  readonly codeChallenge: string | undefined;
  /** The key that the code is to be bound to (RFC 9449 section 10). */
  readonly confirmation: Confirmation | undefined;
  /** OpenID Connect Core section 3.1.2.1. */
  readonly prompts: readonly string[];
  readonly maxAgeSeconds: number | undefined;
  /** Which class the login should or must reach (OpenID Connect Core section 5.5.1.1, RFC 9470 section 4); undefined: any. */
  readonly contextClasses: RequestedContextClasses | undefined;
  readonly loginHint: string | undefined;
  readonly uiLocales: string | undefined;
  /** What tokens answer to later (OpenID Connect Core); undefined: the scope has no `openid`. */
  readonly openid: OpenIdRequest | undefined;
  /** The only users, by the `sub` that the client knows them by, whom an answer may be about; undefined: any. */
  readonly subjects: readonly string[] | undefined;
}

/** One rule about authorization requests: one file each. It reads its parameters and gives its part of the authorization. */
export interface AuthorizationRule {
  readonly name: string;
  /** It is about what a browser brings or takes back, and says nothing of a request that is deferred. */
  readonly onlyByBrowser?: true;
  /** @throws OAuthError when the request breaks the rule. */
  apply(request: AddressedRequest): Partial<Authorization> | Promise<Partial<Authorization>>;
}

/** @throws OAuthError of the first rule that the request breaks. */
export async function authorizationOf(request: AddressedRequest, rules: readonly AuthorizationRule[]): Promise<Authorization> {
  const parts: Partial<Authorization>[] = [];
  for (const rule of rules) {
    if (request.deferred === undefined || rule.onlyByBrowser !== true) {
      parts.push(await rule.apply(request));
    }
  }
  return Object.assign({ ...NOTHING_ASKED }, ...parts) as Authorization;
}

const NOTHING_ASKED: Authorization = {
  scope: [],
  resources: [],
  authorizationDetails: NO_DETAILS,
  codeChallenge: undefined,
  confirmation: undefined,
  prompts: [],
  maxAgeSeconds: undefined,
  contextClasses: undefined,
  loginHint: undefined,
  uiLocales: undefined,
  openid: undefined,
  subjects: undefined,
};
