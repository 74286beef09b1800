import type { Answer } from './answers.ts';
import { answerOf, postForm } from './answers.ts';
import type { Changes, ClientKeyPair } from './assertions.ts';
import { assertionClaims, assertionForm, clientKeyPair, keyClient, signAssertion } from './assertions.ts';
import type { RequestParameters } from './authorization-requests.ts';
import { byReference, requestParameters } from './authorization-requests.ts';
import type { Arrival, Browser } from './browser.ts';
import { browser, passPages } from './browser.ts';
import type { ProofKey } from './dpop.ts';
import { proofFor, proofKey } from './dpop.ts';
import type { TestServer, TestUser } from './test-server.ts';
import { REDIRECT_URI } from './test-server.ts';

/** A client with the profile fapi2, the key it authenticates with, and the key its tokens are bound to. */
export interface Fapi2Client {
  readonly id: string;
  readonly pair: ClientKeyPair;
  readonly dpop: ProofKey;
}

/** How a request of such a client differs from what the profile asks for. */
export interface Fapi2Changes {
  /** Claims of its assertion; null: no assertion. */
  readonly claims?: Changes | null;
  /** Signs its assertion in place of its own. */
  readonly pair?: ClientKeyPair;
  /** Makes its proof in place of its own; null: no proof. */
  readonly dpop?: ProofKey | null;
}

/** How a push was answered, and what the client keeps of its request. */
export interface Fapi2Pushed extends Answer {
  readonly verifier: string;
  readonly requestUri: string;
}

/** What the client of `codeOf` goes on with. */
export interface Fapi2Code {
  readonly code: string;
  readonly verifier: string;
}

export async function fapi2Client(
  server: TestServer,
  metadata: Changes = {},
  pair: ClientKeyPair = clientKeyPair('ES256'),
): Promise<Fapi2Client> {
  const { id } = await keyClient(server, { profile: 'fapi2', ...metadata }, pair);
  return { id, pair, dpop: await proofKey() };
}

/** A request of the client to an endpoint that it authenticates at. */
export async function ask(
  server: TestServer,
  client: Fapi2Client,
  path: string,
  form: Readonly<Record<string, string>>,
  { claims = {}, pair = client.pair, dpop = client.dpop }: Fapi2Changes = {},
): Promise<Answer> {
  const assertion = claims === null ? {} : assertionForm(await signAssertion(assertionClaims(server, client.id, claims), pair));
  const headers = dpop === null ? {} : { dpop: await proofFor(server, dpop, path) };
  return postForm(server, path, new URLSearchParams({ ...form, ...assertion }).toString(), headers);
}

/** Pushes an authorization request. */
export async function pushAs(
  server: TestServer,
  client: Fapi2Client,
  parameters: RequestParameters = {},
  changes: Fapi2Changes = {},
): Promise<Fapi2Pushed> {
  const request = requestParameters(server, client, parameters);
  const { client_id: _, ...form } = request.parameters;
  const answer = await ask(server, client, '/par', form, { dpop: null, ...changes });
  return { ...answer, verifier: request.verifier, requestUri: String(answer.body['request_uri']) };
}

/** How a browser that comes with the reference ends. */
export async function arriveWith(
  server: TestServer,
  client: Fapi2Client,
  requestUri: string,
  user: TestUser,
  tab: Browser = browser(server),
): Promise<Arrival> {
  return passPages(tab, await tab.visit(byReference(server, client, requestUri)), user);
}

/** The whole way of a user to the client's code. */
export async function codeOf(
  server: TestServer,
  client: Fapi2Client,
  user: TestUser,
  parameters: RequestParameters = {},
  tab: Browser = browser(server),
): Promise<Fapi2Code> {
  const { requestUri, verifier } = await pushAs(server, client, parameters);
  const { url } = await arriveWith(server, client, requestUri, user, tab);
  return { code: url.searchParams.get('code') ?? '', verifier };
}

export function redeem(
  server: TestServer,
  client: Fapi2Client,
  { code, verifier }: Fapi2Code,
  changes: Fapi2Changes = {},
): Promise<Answer> {
  const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
  return ask(server, client, '/token', form, changes);
}

export function userinfo(server: TestServer, token: unknown, proof: string): Promise<Answer> {
  return answerOf(server.get('/userinfo', { authorization: `DPoP ${String(token)}`, dpop: proof }));
}
