import { SignJWT } from 'jose';
import type { Answer } from './answers.ts';
import { answerOf } from './answers.ts';
import type { Changes, ClientKeyPair } from './assertions.ts';
import type { Arrival } from './browser.ts';
import { codeRequest, formWith } from './browser.ts';
import type { TestClient, TestServer } from './test-server.ts';

/** Parameters of an authorization request; one that is undefined is left out. */
export type RequestParameters = Readonly<Record<string, string | undefined>>;

/** The parameters of `codeRequest`, and what the client keeps of them. */
export function requestParameters(
  server: Pick<TestServer, 'issuer'>,
  client: Pick<TestClient, 'id'>,
  changes: RequestParameters = {},
): { readonly parameters: Readonly<Record<string, string>>; readonly verifier: string; readonly state: string } {
  const { url, verifier, state } = codeRequest(server, { id: client.id, secret: '' }, changes);
  return { parameters: Object.fromEntries(new URL(url).searchParams), verifier, state };
}

/** Pushes an authorization request (RFC 9126), as a client that authenticates with its secret, or a public one. */
export function push(
  server: Pick<TestServer, 'post'>,
  client: TestClient,
  form: Readonly<Record<string, string>>,
): Promise<Answer & { readonly requestUri: string }> {
  return answerOf(server.post('/par', form, client)).then((answer) => ({ ...answer, requestUri: String(answer.body['request_uri']) }));
}

/** Where the browser goes with a reference, and whatever else is put beside it. */
export function byReference(
  server: Pick<TestServer, 'issuer'>,
  client: Pick<TestClient, 'id'>,
  requestUri: string,
  beside: Readonly<Record<string, string>> = {},
): string {
  return `${server.issuer}/authorize?${new URLSearchParams({ client_id: client.id, request_uri: requestUri, ...beside }).toString()}`;
}

/** A request object (RFC 9101) with these parameters; a claim given as undefined is left out. */
export function requestObject(
  server: Pick<TestServer, 'issuer' | 'clock'>,
  client: Pick<TestClient, 'id'>,
  by: ClientKeyPair,
  parameters: Changes,
  header: Changes = {},
): Promise<string> {
  const now = server.clock.now();
  const claims = { iss: client.id, aud: server.issuer, client_id: client.id, nbf: now, exp: now + 300, ...parameters };
  const members = { alg: by.alg, kid: by.kid, typ: 'oauth-authz-req+jwt', ...header };
  return new SignJWT(given(claims)).setProtectedHeader(given(members) as { alg: string }).sign(by.privateKey);
}

/** What the client is told, by whichever response mode it came. */
export function answerAt(arrival: Arrival): Readonly<Record<string, string>> {
  if (arrival.html !== '') {
    return formWith(arrival, []).hidden;
  }
  const { search, hash } = arrival.url;
  return Object.fromEntries(new URLSearchParams(hash === '' ? search : hash.slice(1)));
}

function given(members: Changes): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
