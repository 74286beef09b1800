import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import * as openid from 'openid-client';
import { DEVICE_CODE_GRANT } from '../../src/clients/deferred-grants.ts';
import { sqliteDatabases } from '../support/databases.ts';
import { type DeviceAnswer, decide, deviceClient } from '../support/device.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';

// oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
const INSECURE = { [oauth.allowInsecureRequests]: true };

describe('device authorization (RFC 8628) by other people’s clients', () => {
  const databases = sqliteDatabases();
  let server: TestServer;
  let user: TestUser;
  before(async () => {
    server = await startTestServer(await databases.create(), { DEVICE_POLL_INTERVAL: '1s' });
    user = await server.user();
  });
  after(async () => {
    await server.close();
    await databases.dispose();
  });

  for (const method of ['none', 'client_secret_basic'] as const) {
    describe(`openid-client 6 with ${method}`, () => {
      let config: openid.Configuration;
      before(async () => {
        const client = await deviceClient(server, { token_endpoint_auth_method: method });
        const authentication = client.secret === '' ? openid.None() : openid.ClientSecretBasic(client.secret);
        config = await openid.discovery(new URL(server.issuer), client.id, undefined, authentication, {
          // oxlint-disable-next-line typescript/no-deprecated -- as above
          execute: [openid.allowInsecureRequests],
        });
      });

      /** Asks, and polls as the library does; what happens before each poll is the test's. */
      async function connect(beforePoll: (device: DeviceAnswer, poll: number) => Promise<unknown>) {
        const device = await openid.initiateDeviceAuthorization(config, { scope: 'openid api:read' });
        let polls = 0;
        config[openid.customFetch] = async (url, options) => {
          if (url.endsWith('/token')) {
            polls += 1;
            server.clock.advance(1);
            await beforePoll(device as unknown as DeviceAnswer, polls);
          }
          return fetch(url, options as RequestInit);
        };
        return openid.pollDeviceAuthorizationGrant(config, device);
      }

      it('polls until the user has allowed it, reads the ID token, and refreshes', async () => {
        const tokens = await connect(async (device, poll) => (poll === 2 ? decide(server, device, user) : undefined));
        expect(tokens).to.include({ token_type: 'bearer', scope: 'openid api:read' });
        expect(tokens.claims()?.sub).to.equal(user.id);
        const refreshed = await openid.refreshTokenGrant(config, tokens.refresh_token ?? '');
        expect(refreshed.refresh_token).to.be.a('string').and.not.equal(tokens.refresh_token);
        expect((await openid.fetchUserInfo(config, refreshed.access_token, user.id)).sub).to.equal(user.id);
      }).timeout(10_000);

      it('is told access_denied, and expired_token', async () => {
        for (const [error, happens] of [
          ['access_denied', (device: DeviceAnswer) => decide(server, device, user, 'deny')],
          ['expired_token', async () => server.clock.advance(600)],
        ] as const) {
          const refusal = await connect(happens).catch((thrown: unknown) => thrown);
          expect(refusal).to.be.an.instanceOf(openid.ResponseBodyError).and.include({ error, status: 400 });
        }
      }).timeout(10_000);
    });
  }

  describe('oauth4webapi 3', () => {
    let client: TestClient;
    let as: oauth.AuthorizationServer;
    before(async () => {
      client = await deviceClient(server);
      const issuer = new URL(server.issuer);
      as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE }));
    });

    it('finds the grant in the metadata, and reads every answer on the way', async () => {
      expect(as.grant_types_supported).to.include(DEVICE_CODE_GRANT);
      const self = { client_id: client.id };
      const asked = await oauth.deviceAuthorizationRequest(as, self, oauth.None(), { scope: 'openid api:read' }, INSECURE);
      const device = await oauth.processDeviceAuthorizationResponse(as, self, asked);
      expect(device).to.include({ interval: 1, expires_in: 600 });
      const poll = async () => {
        const response = await oauth.deviceCodeGrantRequest(as, self, oauth.None(), device.device_code, INSECURE);
        return oauth.processDeviceCodeResponse(as, self, response).catch((error: unknown) => error);
      };
      for (const error of ['authorization_pending', 'slow_down']) {
        expect(await poll())
          .to.be.an.instanceOf(oauth.ResponseBodyError)
          .and.include({ error, status: 400 });
      }
      await decide(server, device as unknown as DeviceAnswer, user);
      const tokens = (await poll()) as oauth.TokenEndpointResponse;
      expect(oauth.getValidatedIdTokenClaims(tokens)?.sub).to.equal(user.id);
      expect(tokens).to.include({ token_type: 'bearer', scope: 'openid api:read' });
    });
  });
});
