import type { Answer } from './answers.ts';
import { answerOf } from './answers.ts';
import type { RequestParameters } from './authorization-requests.ts';
import { requestParameters } from './authorization-requests.ts';
import type { TestClient, TestServer, TestUser } from './test-server.ts';

/** What the user of an application typed into it. */
export function typed({ username, password }: Pick<TestUser, 'username' | 'password'>): Readonly<Record<string, string>> {
  return { username, password };
}

/** An authorization request without a redirect URI, and what the client keeps of it. */
export function directRequest(
  server: Pick<TestServer, 'issuer'>,
  client: TestClient,
  changes: RequestParameters = {},
): { readonly parameters: Readonly<Record<string, string>>; readonly verifier: string } {
  return requestParameters(server, client, { redirect_uri: undefined, state: undefined, ...changes });
}

/** Posts to the authorization challenge endpoint. `as` is as in `TestServer.post`. */
export function challenge(server: Pick<TestServer, 'post'>, client: TestClient, form: Readonly<Record<string, string>>): Promise<Answer> {
  return answerOf(server.post('/authorize-challenge', form, client));
}

/** A whole login: the answer to a request with these credentials, and the verifier that goes with its code. */
export async function logInDirectly(
  server: Pick<TestServer, 'post' | 'issuer'>,
  client: TestClient,
  credentials: Readonly<Record<string, string>>,
  changes: RequestParameters = {},
): Promise<Answer & { readonly verifier: string }> {
  const { parameters, verifier } = directRequest(server, client, changes);
  return { ...(await challenge(server, client, { ...parameters, ...credentials })), verifier };
}

/** Exchanges the code of an answer. */
export function exchange(
  server: Pick<TestServer, 'post'>,
  client: TestClient,
  { body, verifier }: Pick<Answer, 'body'> & { readonly verifier: string },
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const form = { grant_type: 'authorization_code', code: String(body['authorization_code']), code_verifier: verifier, ...more };
  return answerOf(server.post('/token', form, client));
}

/** The `auth_session` of an answer. */
export function sessionOf({ body }: Pick<Answer, 'body'>): string {
  return String(body['auth_session']);
}
