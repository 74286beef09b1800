import { DEVICE_CODE_GRANT } from '../../src/clients/deferred-grants.ts';
import { type Answer, answerOf } from './answers.ts';
import { type Arrival, type Browser, browser, type TokenBody } from './browser.ts';
import type { TestClient, TestServer, TestUser } from './test-server.ts';

/** What a device is given (RFC 8628 section 3.2). */
export interface DeviceAnswer {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_in: number;
  readonly interval: number;
}

/** A client that may have devices; public, with refresh tokens, unless the metadata says otherwise. It has no redirect URI. */
export function deviceClient(server: TestServer, metadata: Readonly<Record<string, unknown>> = {}): Promise<TestClient> {
  return server.client({
    redirect_uris: [],
    grant_types: [DEVICE_CODE_GRANT, 'refresh_token'],
    token_endpoint_auth_method: 'none',
    ...metadata,
  });
}

/** A device asks. @throws Error when it is refused. */
export async function askFor(
  server: Pick<TestServer, 'post'>,
  client: TestClient,
  form: Readonly<Record<string, string>> = {},
): Promise<DeviceAnswer> {
  const { status, body } = await answerOf(server.post('/device_authorization', form, client));
  if (status !== 200) {
    throw new Error(`no device code: ${JSON.stringify(body)}`);
  }
  return body as unknown as DeviceAnswer;
}

/** A device polls. */
export function poll(
  server: Pick<TestServer, 'post'>,
  client: TestClient,
  deviceCode: string,
  more: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  return answerOf(server.post('/token', { grant_type: DEVICE_CODE_GRANT, device_code: deviceCode, ...more }, client));
}

/** A user goes to the address that the device shows, types its code, and logs in if asked. @returns the page that is shown then. */
export async function enterCode(
  server: Pick<TestServer, 'issuer'>,
  { verification_uri: address, user_code: userCode }: Pick<DeviceAnswer, 'verification_uri' | 'user_code'>,
  user: TestUser,
  tab: Browser = browser(server),
): Promise<Arrival> {
  const page = await tab.submit(await tab.visit(address), { user_code: userCode });
  return page.html.includes('name="password"') ? tab.submit(page, { username: user.username, password: user.password }) : page;
}

/** The whole way of a user to a decision. */
export async function decide(
  server: Pick<TestServer, 'issuer'>,
  device: DeviceAnswer,
  user: TestUser,
  decision: 'allow' | 'deny' = 'allow',
  tab: Browser = browser(server),
): Promise<Arrival> {
  return tab.submit(await enterCode(server, device, user, tab), { decision });
}

/** The whole way of a device to its tokens. */
export async function connect(
  server: TestServer,
  client: TestClient,
  user: TestUser,
  form: Readonly<Record<string, string>> = {},
): Promise<TokenBody> {
  const device = await askFor(server, client, form);
  await decide(server, device, user);
  const { body } = await poll(server, client, device.device_code);
  return body as unknown as TokenBody;
}
