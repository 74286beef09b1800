import { CIBA_GRANT } from '../../src/clients/deferred-grants.ts';
import { type Answer, answerOf } from './answers.ts';
import { type Arrival, type Browser, browser } from './browser.ts';
import type { TestClient, TestServer, TestUser } from './test-server.ts';

/** What a server under test needs for this. */
export const CIBA = { FEATURES: 'ciba' } as const;

/** What a client is given (CIBA section 7.3). */
export interface BackchannelAnswer {
  readonly auth_req_id: string;
  readonly expires_in: number;
  readonly interval: number;
}

/** A client that may ask users in the back channel; it polls, and has refresh tokens, unless the metadata says otherwise. */
export function cibaClient(server: TestServer, metadata: Readonly<Record<string, unknown>> = {}): Promise<TestClient> {
  return server.client({
    redirect_uris: [],
    grant_types: [CIBA_GRANT, 'refresh_token'],
    backchannel_token_delivery_mode: 'poll',
    ...metadata,
  });
}

/** A client asks. */
export function request(server: Pick<TestServer, 'post'>, client: TestClient, form: Readonly<Record<string, string>>): Promise<Answer> {
  return answerOf(server.post('/backchannel-authentication', { scope: 'openid api:read', ...form }, client));
}

/** A client asks a user. @throws Error when it is refused. */
export async function askUser(
  server: Pick<TestServer, 'post'>,
  client: TestClient,
  user: Pick<TestUser, 'username'>,
  form: Readonly<Record<string, string>> = {},
): Promise<BackchannelAnswer> {
  const { status, body } = await request(server, client, { login_hint: user.username, ...form });
  if (status !== 200) {
    throw new Error(`no auth_req_id: ${JSON.stringify(body)}`);
  }
  return body as unknown as BackchannelAnswer;
}

/** A client polls. */
export function poll(
  server: Pick<TestServer, 'post'>,
  client: TestClient,
  authReqId: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return answerOf(server.post('/token', { grant_type: CIBA_GRANT, auth_req_id: authReqId, ...more }, client));
}

/** What a user finds who logs in at the page for it. */
export async function approvals(
  server: Pick<TestServer, 'issuer'>,
  user: Pick<TestUser, 'username' | 'password'>,
  tab: Browser = browser(server),
): Promise<Arrival> {
  const page = await tab.visit(`${server.issuer}/ciba`);
  return page.html.includes('name="password"') ? tab.submit(page, { username: user.username, password: user.password }) : page;
}

/** The addresses of the requests on that page, oldest first. */
export function waitingIn({ html }: Pick<Arrival, 'html'>): readonly string[] {
  return [...html.matchAll(/href="([^"]*\/authorize\/resume\?request=[^"]+)"/g)].map(([, href = '']) => href);
}

/** The consent page of the newest request that waits for a user. */
export async function lookAtNewest(
  server: Pick<TestServer, 'issuer'>,
  user: Pick<TestUser, 'username' | 'password'>,
  tab: Browser = browser(server),
): Promise<Arrival> {
  const href = waitingIn(await approvals(server, user, tab)).at(-1);
  if (href === undefined) {
    throw new Error('nothing waits for the user');
  }
  return tab.visit(href);
}

/** The whole way of a user to a decision on the newest request. */
export async function decideNewest(
  server: Pick<TestServer, 'issuer'>,
  user: Pick<TestUser, 'username' | 'password'>,
  decision: 'allow' | 'deny' = 'allow',
  tab: Browser = browser(server),
): Promise<Arrival> {
  return tab.submit(await lookAtNewest(server, user, tab), { decision });
}
