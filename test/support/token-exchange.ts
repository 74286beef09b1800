import type { Answer } from './answers.ts';
import { answerOf } from './answers.ts';
import { type ProofKey, tokenRequest } from './dpop.ts';
import { basic, type TestClient, type TestServer } from './test-server.ts';

export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
export const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';

/** The service that the client calls. */
export const API = 'https://api.example/';
/** The service that the API calls for it. */
export const LEDGER = 'https://ledger.example/';

/** Metadata of a client whose users have tokens for the API. */
export const APP = { skip_consent: true, allowed_resources: [API], scope: 'openid notes:read notes:write ledger:read ledger:write' };

/** Metadata of the API: what it is the server of, and what it may exchange tokens for. */
export function serviceWith(
  policies: readonly Readonly<Record<string, unknown>>[] = [{ resources: [LEDGER], scope: 'ledger:read' }],
  more: Readonly<Record<string, unknown>> = {},
): Readonly<Record<string, unknown>> {
  return {
    redirect_uris: [],
    grant_types: [TOKEN_EXCHANGE, 'client_credentials'],
    scope: 'jobs',
    protected_resources: [API],
    token_exchange: policies,
    ...more,
  };
}

/** The form of an exchange of `token` for one for the ledger. A parameter given as undefined is left out. */
export function exchangeForm(token: string, changes: Readonly<Record<string, string | undefined>> = {}): Readonly<Record<string, string>> {
  const all = { grant_type: TOKEN_EXCHANGE, subject_token: token, subject_token_type: ACCESS_TOKEN, resource: LEDGER, ...changes };
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** Exchanges a token; `key` makes a DPoP proof. */
export function exchange(
  server: Pick<TestServer, 'issuer' | 'clock'>,
  as: TestClient,
  token: string,
  changes: Readonly<Record<string, string | undefined>> = {},
  key?: ProofKey,
): Promise<Answer> {
  return tokenRequest(server, as, exchangeForm(token, changes), key);
}

/** The same with parameters that come more than once. */
export function exchangeRepeating(
  server: Pick<TestServer, 'issuer'>,
  as: TestClient,
  parameters: readonly (readonly [string, string])[],
): Promise<Answer> {
  const body = new URLSearchParams();
  for (const [name, value] of parameters) {
    body.append(name, value);
  }
  return answerOf(fetch(`${server.issuer}/token`, { method: 'POST', body, headers: { authorization: basic(as) } }));
}
