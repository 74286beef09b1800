import type { Clients } from '../clients/clients.ts';
import type { EpochSeconds } from '../core/clock.ts';
import { InvalidRequest } from '../core/errors.ts';
import type { Parameters } from '../core/parameters.ts';
import { refuseRepeats } from '../core/parameters.ts';
import type { ServerSecrets } from '../keys/server-secrets.ts';
import { mintBytes, proveBytes } from '../tokens/authenticated-bytes.ts';
import type { IdTokenReader } from '../tokens/own-id-tokens.ts';

/** A logout request, checked as far as its parameters go. It travels with the browser, signed, while the user is asked. */
export interface LogoutRequest {
  /** Who sent the user here: proven where there is a `subject`, claimed otherwise. */
  readonly clientId: string | undefined;
  /** Whose login it is about, as the client knows the user: from an ID token of ours. undefined: there was none that is right. */
  readonly subject: string | undefined;
  /** Where the browser goes on to: one of those the client registered. */
  readonly redirectUri: string | undefined;
  readonly state: string | undefined;
  readonly uiLocales: string | undefined;
}

/** Takes logout requests in, signs them, and reads them back. */
export interface LogoutRequests {
  /**
   * OpenID Connect RP-Initiated Logout section 2. An ID token that is not ours (section 4: "the information that failed to validate MUST
   * NOT be used"), or a client that does not fit it, leaves a request about which nothing is known: the user decides, and stays here.
   * @throws InvalidRequest on a repeated parameter, a redirect URI that the client did not register, or a `state` that is too long.
   */
  receive(parameters: Parameters): Promise<LogoutRequest>;
  sign(request: LogoutRequest, now: EpochSeconds): string;
  /** @returns undefined when the text was not signed here, or too long ago. */
  open(text: string, now: EpochSeconds): LogoutRequest | undefined;
}

const DOMAIN = 'keyturn logout request';
/** As long as an authorization request may be on its way. */
const LOGOUT_REQUEST_SECONDS = 3600;
// It goes on in an address.
const LONGEST_STATE = 2048;
const LONGEST_LOCALES = 256;

export function logoutRequests(rooms: {
  readonly clients: Pick<Clients, 'find'>;
  readonly readIdToken: IdTokenReader;
  readonly secrets: ServerSecrets;
}): LogoutRequests {
  const { clients, readIdToken, secrets } = rooms;

  return {
    async receive(parameters) {
      refuseRepeats(parameters);
      const uiLocales = parameters.get('ui_locales')?.slice(0, LONGEST_LOCALES);
      const hint = parameters.get('id_token_hint');
      const named = parameters.get('client_id');
      const hinted = hint === undefined ? undefined : await readIdToken(hint);
      const isContradictory = hint !== undefined && (hinted === undefined || (named !== undefined && named !== hinted.clientId));
      const clientId = isContradictory ? undefined : (hinted?.clientId ?? named);
      const client = clientId === undefined ? undefined : await clients.find(clientId);
      if (client === undefined) {
        return { clientId: undefined, subject: undefined, redirectUri: undefined, state: undefined, uiLocales };
      }
      // logout_hint is not looked at: a browser has one session at most, and the page says whose.
      const redirectUri = parameters.get('post_logout_redirect_uri');
      if (redirectUri !== undefined && !(client.metadata.post_logout_redirect_uris ?? []).includes(redirectUri)) {
        throw new InvalidRequest('The post_logout_redirect_uri must be one of those the client registered, character for character.');
      }
      return { clientId: client.id, subject: hinted?.subject, redirectUri, state: stateOf(parameters), uiLocales };
    },
    sign({ clientId, subject, redirectUri, state, uiLocales }, now) {
      const values: Signed = [now, clientId ?? null, subject ?? null, redirectUri ?? null, state ?? null, uiLocales ?? null];
      return mintBytes(secrets, DOMAIN, Buffer.from(JSON.stringify(values)));
    },
    open(text, now) {
      const proven = proveBytes(secrets, DOMAIN, text);
      if (proven === undefined) {
        return undefined;
      }
      // Proven bytes are our own: their shape is what `sign` gave them.
      const [signedAt, ...values] = JSON.parse(proven.toString()) as Signed;
      const [clientId, subject, redirectUri, state, uiLocales] = values.map((value) => value ?? undefined);
      return now >= signedAt + LOGOUT_REQUEST_SECONDS ? undefined : { clientId, subject, redirectUri, state, uiLocales };
    },
  };
}

type Signed = readonly [
  signedAt: EpochSeconds,
  clientId: string | null,
  subject: string | null,
  redirectUri: string | null,
  state: string | null,
  uiLocales: string | null,
];

/** Where the browser goes when the user is logged out (OpenID Connect RP-Initiated Logout section 3); undefined: it stays. */
export function afterLogout({ redirectUri, state }: LogoutRequest): string | undefined {
  if (redirectUri === undefined || state === undefined) {
    return redirectUri;
  }
  return `${redirectUri}${redirectUri.includes('?') ? '&' : '?'}${new URLSearchParams({ state }).toString()}`;
}

function stateOf(parameters: Parameters): string | undefined {
  const state = parameters.get('state');
  if (state !== undefined && state.length > LONGEST_STATE) {
    throw new InvalidRequest(`The state must not be longer than ${LONGEST_STATE} characters.`);
  }
  return state;
}
