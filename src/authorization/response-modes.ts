import type { Client } from '../clients/client.ts';
import { cspSource } from '../clients/redirect-uri.ts';
import type { EpochSeconds } from '../core/clock.ts';
import type { ProtocolResponse } from '../core/endpoint.ts';
import { formPostPage, formPostScriptSource } from '../pages/form-post-page.ts';
import type { Language } from '../pages/languages.ts';

/** What goes to a client through the user's browser. */
export interface AuthorizationAnswer {
  readonly client: Client;
  readonly redirectUri: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Of the page, where the way has one. */
  readonly language: Language;
  readonly now: EpochSeconds;
}

/** A way for the answer to get to the client (OAuth 2.0 Multiple Response Type Encoding Practices section 2.1). */
export interface ResponseMode {
  /** The `response_mode`. */
  readonly name: string;
  /** Whether an answer in this mode gets to that redirect URI. */
  canReach(redirectUri: string): boolean;
  send(answer: AuthorizationAnswer): ProtocolResponse | Promise<ProtocolResponse>;
}

/**
 * Whether a client may be answered in a mode: one of those it registered (FAPI 2.0 Message Signing section 5.3.3). One that registered none but
 * an algorithm for signed or encrypted answers is given no other ("If this is specified, the response will be signed", JARM section 3): whoever made the
 * link that brought the user here, and left the mode out or asked for another, does not take the signature off.
 */
export function permitsMode({ metadata }: Pick<Client, 'metadata'>, name: string): boolean {
  const {
    response_modes: registered,
    authorization_signed_response_alg: signed,
    authorization_encrypted_response_alg: encrypted,
  } = metadata;
  const isSecured = signed !== undefined || encrypted !== undefined;
  return registered === undefined ? !isSecured || name.endsWith('jwt') : registered.includes(name);
}

/** The `response_mode` of a request: what it asks for, or what the client has by default. */
export function requestedMode(client: Pick<Client, 'metadata'>, asked: string | undefined): string {
  const defaults = ['query', 'jwt', ...(client.metadata.response_modes ?? [])];
  return asked ?? defaults.find((name) => permitsMode(client, name)) ?? 'query';
}

/** In the query of the redirect URI: the default of the response type code, and of every error whose mode is not known. */
export const queryMode: ResponseMode = {
  name: 'query',
  canReach: () => true,
  send({ redirectUri, parameters }) {
    // RFC 6749 section 4.1.2 and 3.1.2: a query the client registered is kept.
    const separator = redirectUri.includes('?') ? '&' : '?';
    return { kind: 'redirect', location: `${redirectUri}${separator}${encoded(parameters)}` };
  },
};

/** In the fragment, which the browser keeps to itself and the page at the redirect URI reads. No redirect URI has one of its own. */
export const fragmentMode: ResponseMode = {
  name: 'fragment',
  canReach: () => true,
  send: ({ redirectUri, parameters }) => ({ kind: 'redirect', location: `${redirectUri}#${encoded(parameters)}` }),
};

/** OAuth 2.0 Form Post Response Mode: in the body of a POST, which no history and no log keeps. */
export const formPostMode: ResponseMode = {
  name: 'form_post',
  // Nothing can be posted to an app.
  canReach: (redirectUri) => /^https?:/.test(redirectUri),
  send: ({ redirectUri, parameters, language }) => ({
    kind: 'page',
    status: 200,
    html: formPostPage({ language, action: redirectUri, fields: parameters }),
    formTargets: [cspSource(redirectUri)],
    scriptSource: formPostScriptSource,
  }),
};

function encoded(parameters: Readonly<Record<string, string>>): string {
  return new URLSearchParams(parameters).toString();
}
