import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import * as openid from 'openid-client';
import { type BackchannelAnswer, CIBA, cibaClient, decideNewest } from '../support/ciba.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { startPingReceiver } from '../support/ping-receiver.ts';
import { startTestServer, type TestServer, type TestUser } from '../support/test-server.ts';

describe('CIBA by openid-client 6', () => {
  const databases = sqliteDatabases();
  let server: TestServer;
  let user: TestUser;
  before(async () => {
    const settings = { ...CIBA, CIBA_POLL_INTERVAL: '1s', OUTBOUND_PRIVATE_ADDRESSES: 'on' };
    server = await startTestServer(await databases.create(), settings);
    user = await server.user();
  });
  after(async () => {
    await server.close();
    await databases.dispose();
  });

  async function configured(metadata: Readonly<Record<string, unknown>> = {}): Promise<openid.Configuration> {
    const client = await cibaClient(server, metadata);
    return openid.discovery(new URL(server.issuer), client.id, undefined, openid.ClientSecretBasic(client.secret), {
      // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
      execute: [openid.allowInsecureRequests],
    });
  }

  /** Asks, and polls as the library does; what happens before each poll is the test's. */
  async function asked(beforePoll: (poll: number) => Promise<unknown>) {
    const config = await configured();
    const answer = await openid.initiateBackchannelAuthentication(config, {
      scope: 'openid api:read',
      login_hint: user.username,
      binding_message: 'W4SCT',
    });
    let polls = 0;
    config[openid.customFetch] = async (url, options) => {
      if (url.endsWith('/token')) {
        polls += 1;
        server.clock.advance(1);
        await beforePoll(polls);
      }
      return fetch(url, options as RequestInit);
    };
    return { config, tokens: openid.pollBackchannelAuthenticationGrant(config, answer) };
  }

  it('polls until the user has allowed it, reads the ID token, and refreshes', async () => {
    const { config, tokens } = await asked(async (poll) => (poll === 2 ? decideNewest(server, user) : undefined));
    const answer = await tokens;
    expect(answer).to.include({ token_type: 'bearer', scope: 'openid api:read' });
    expect(answer.claims()?.sub).to.equal(user.id);
    const refreshed = await openid.refreshTokenGrant(config, answer.refresh_token ?? '');
    expect((await openid.fetchUserInfo(config, refreshed.access_token, user.id)).sub).to.equal(user.id);
  }).timeout(10_000);

  it('is told access_denied, and expired_token', async () => {
    for (const [error, happens] of [
      ['access_denied', () => decideNewest(server, user, 'deny')],
      ['expired_token', async () => server.clock.advance(600)],
    ] as const) {
      const refusal = await (await asked(happens)).tokens.catch((thrown: unknown) => thrown);
      expect(refusal).to.be.an.instanceOf(openid.ResponseBodyError).and.include({ error, status: 400 });
    }
  }).timeout(10_000);

  it('comes for its tokens when it is told (ping)', async () => {
    const receiver = await startPingReceiver();
    const config = await configured({
      backchannel_token_delivery_mode: 'ping',
      backchannel_client_notification_endpoint: receiver.uri,
    });
    const token = randomBytes(20).toString('base64url');
    const form = { scope: 'openid', login_hint: user.username, client_notification_token: token };
    const asking = await openid.initiateBackchannelAuthentication(config, form);
    await decideNewest(server, user);
    await receiver.times(1);
    const told = JSON.parse(receiver.received[0]?.body ?? '') as BackchannelAnswer;
    expect(told).to.deep.equal({ auth_req_id: asking.auth_req_id });
    expect((await openid.pollBackchannelAuthenticationGrant(config, asking)).claims()?.sub).to.equal(user.id);
    await receiver.close();
  }).timeout(10_000);
});
