import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { browser, passPages } from '../support/browser.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestUser } from '../support/test-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

// oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
const INSECURE = { [oauth.allowInsecureRequests]: true };
const SETTINGS = [{}, { DPOP_NONCE: 'on' }] as const;
const PUBLIC = { token_endpoint_auth_method: 'none', dpop_bound_access_tokens: true, scope: 'openid api:read' };

for (const settings of SETTINGS) {
  const mode = 'DPOP_NONCE' in settings ? 'with nonces' : 'without nonces';

  describe(`openid-client 6: DPoP ${mode} (RFC 9449)`, () => {
    const server = suiteServer(settings);
    let user: TestUser;
    before(async () => {
      user = await server().user();
    });

    async function discover(metadata: Readonly<Record<string, unknown>>): Promise<client.Configuration> {
      const { id, secret } = await server().client(metadata);
      const authentication = secret === '' ? client.None() : client.ClientSecretBasic(secret);
      return client.discovery(new URL(server().issuer), id, undefined, authentication, {
        // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
        execute: [client.allowInsecureRequests],
      });
    }

    async function logIn(config: client.Configuration, handle: client.DPoPHandle, isPushed: boolean) {
      const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState() };
      const parameters = {
        redirect_uri: REDIRECT_URI,
        scope: 'openid api:read',
        state: checks.expectedState,
        code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
        code_challenge_method: 'S256',
      };
      const url = isPushed
        ? await client.buildAuthorizationUrlWithPAR(config, parameters, { DPoP: handle })
        : client.buildAuthorizationUrl(config, { ...parameters, dpop_jkt: await handle.calculateThumbprint() });
      const tab = browser(server());
      const arrival = await passPages(tab, await tab.visit(url), user);
      return client.authorizationCodeGrant(config, new URL(arrival.url), checks, undefined, { DPoP: handle });
    }

    for (const [kind, metadata] of [
      ['public', PUBLIC],
      ['confidential', { scope: 'openid api:read' }],
    ] as const) {
      for (const algorithm of ['ES256', 'PS256', 'Ed25519']) {
        it(`a ${kind} client with ${algorithm} logs in, refreshes and asks who the user is`, async () => {
          const config = await discover(metadata);
          const handle = client.getDPoPHandle(config, await client.randomDPoPKeyPair(algorithm));
          const tokens = await logIn(config, handle, false);
          expect(tokens.token_type).to.equal('dpop');
          const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP: handle });
          expect(refreshed.token_type).to.equal('dpop');
          const about = await client.fetchUserInfo(config, refreshed.access_token, user.id, { DPoP: handle });
          expect(about.sub).to.equal(user.id);
        });
      }
    }

    it('a pushed request with a proof binds the code to its key (ensure-dpopproof-at-par-endpoint-binding-success)', async () => {
      const config = await discover(PUBLIC);
      const handle = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
      expect((await logIn(config, handle, true)).token_type).to.equal('dpop');
    });

    it('a client gets a bound token for itself', async () => {
      const config = await discover({ scope: 'api:read' });
      const handle = client.getDPoPHandle(config, await client.randomDPoPKeyPair());
      const { access_token, token_type } = await client.clientCredentialsGrant(config, {}, { DPoP: handle });
      expect(token_type).to.equal('dpop');
      const about = await client.tokenIntrospection(config, access_token);
      expect(about).to.deep.include({ active: true, token_type: 'DPoP', cnf: { jkt: await handle.calculateThumbprint() } });
    });

    it('the refusal of another key is read as what it is', async () => {
      const config = await discover(PUBLIC);
      const [one, other] = await Promise.all([1, 2].map(async () => client.getDPoPHandle(config, await client.randomDPoPKeyPair())));
      const tokens = await logIn(config, one as client.DPoPHandle, false);
      const refusal: unknown = await client
        .refreshTokenGrant(config, tokens.refresh_token ?? '', undefined, { DPoP: other as client.DPoPHandle })
        .catch((error: unknown) => error);
      expect(refusal).to.be.an.instanceOf(client.ResponseBodyError).and.include({ error: 'invalid_grant', status: 400 });
    });
  });

  describe(`oauth4webapi 3: DPoP ${mode} (RFC 9449)`, () => {
    const server = suiteServer(settings);

    it('gets a bound token, which passes at a resource server with its proof and not without', async () => {
      const api = 'https://api.example/';
      const { id, secret } = await server().client({ allowed_resources: [api], scope: 'api:read' });
      const issuer = new URL(server().issuer);
      const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...INSECURE }));
      const self = { client_id: id };
      const handle = oauth.DPoP({}, await oauth.generateKeyPair('ES256'));
      const ask = async () => {
        const options = { DPoP: handle, ...INSECURE };
        const response = await oauth.clientCredentialsGrantRequest(as, self, oauth.ClientSecretBasic(secret), {}, options);
        return oauth.processClientCredentialsResponse(as, self, response);
      };
      const { access_token, token_type } = await ask().catch((error: unknown) => {
        expect(oauth.isDPoPNonceError(error), String(error)).to.equal('DPOP_NONCE' in settings);
        return ask();
      });
      expect(token_type).to.equal('dpop');

      // What the client sends to the resource server, as it is.
      let sent: Request | undefined;
      await oauth.protectedResourceRequest(access_token, 'GET', new URL(api), undefined, undefined, {
        DPoP: handle,
        [oauth.customFetch]: async (url, { headers }) => {
          sent = new Request(url, { headers });
          return new Response();
        },
      });
      const validate = (request: Request) => oauth.validateJwtAccessToken(as, request, api, INSECURE);
      const claims = await validate(sent as Request);
      expect(claims.cnf).to.deep.equal({ jkt: await handle.calculateThumbprint() });
      const asBearer: unknown = await validate(new Request(api, { headers: { authorization: `Bearer ${access_token}` } })).catch(
        (error: unknown) => error,
      );
      expect(asBearer).to.be.an('error');
    });
  });
}
