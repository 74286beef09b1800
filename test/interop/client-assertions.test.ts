import type { webcrypto } from 'node:crypto';
import { expect } from 'chai';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { browser, passPages } from '../support/browser.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI, type TestServer } from '../support/test-server.ts';

const KEYS: Readonly<Record<string, webcrypto.EcKeyGenParams | webcrypto.RsaHashedKeyGenParams | { readonly name: 'Ed25519' }>> = {
  ES256: { name: 'ECDSA', namedCurve: 'P-256' },
  ES512: { name: 'ECDSA', namedCurve: 'P-521' },
  PS256: { name: 'RSA-PSS', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
  RS256: { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' },
  Ed25519: { name: 'Ed25519' },
};

async function keyPair(alg: string) {
  const pair = await crypto.subtle.generateKey(KEYS[alg] ?? { name: 'Ed25519' }, true, ['sign', 'verify']);
  if (!('privateKey' in pair)) {
    throw new Error(`${alg} has no key pair`);
  }
  const { ext: _, key_ops: __, ...jwk } = await crypto.subtle.exportKey('jwk', pair.publicKey);
  return { privateKey: pair.privateKey, jwk: { ...jwk, kid: `our ${alg}`, use: 'sig', alg } };
}

describe('openid-client 6 with client assertions', () => {
  const server = suiteServer({ OUTBOUND_PRIVATE_ADDRESSES: 'on' });
  let keys: KeyServer;
  before(async () => {
    keys = await startKeyServer();
  });
  after(() => keys.close());

  for (const alg of Object.keys(KEYS)) {
    it(`does all it can do with private_key_jwt and ${alg}, its key published at a jwks_uri`, async () => {
      const { privateKey, jwk } = await keyPair(alg);
      keys.publish([jwk]);
      const registered = {
        token_endpoint_auth_method: 'private_key_jwt',
        jwks_uri: `${keys.url}/${alg}`,
        token_endpoint_auth_signing_alg: alg,
      };
      const { id } = await server().client(registered);
      await doEverything(server(), id, client.PrivateKeyJwt({ key: privateKey, kid: jwk.kid }));
    });
  }

  it('does all it can do with client_secret_jwt', async () => {
    const { id, secret } = await server().client({ token_endpoint_auth_method: 'client_secret_jwt' });
    await doEverything(server(), id, client.ClientSecretJwt(secret));
  });

  it('may say what it sends, by the type of RFC 10070', async () => {
    const { privateKey, jwk } = await keyPair('ES256');
    const { id } = await server().client({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } });
    const typed = client.PrivateKeyJwt(privateKey, {
      [client.modifyAssertion]: (header) => {
        header['typ'] = 'client-authentication+jwt';
      },
    });
    await client.clientCredentialsGrant(await discover(server(), id, typed));
  });

  it('is refused with a key that is not registered', async () => {
    const [{ jwk }, { privateKey }] = [await keyPair('ES256'), await keyPair('ES256')];
    const { id } = await server().client({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } });
    const config = await discover(server(), id, client.PrivateKeyJwt(privateKey));
    const refusal: unknown = await client.clientCredentialsGrant(config).catch((error: unknown) => error);
    expect(refusal).to.have.property('status', 401);
  });
});

describe('oauth4webapi 3 with client assertions', () => {
  const server = suiteServer();
  // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
  const insecure = { [oauth.allowInsecureRequests]: true };

  async function token(id: string, authentication: oauth.ClientAuth): Promise<oauth.TokenEndpointResponse> {
    const issuer = new URL(server().issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));
    const response = await oauth.clientCredentialsGrantRequest(as, { client_id: id }, authentication, {}, insecure);
    return oauth.processClientCredentialsResponse(as, { client_id: id }, response);
  }

  it('gets a token with private_key_jwt, with a kid and without', async () => {
    const { privateKey, jwk } = await keyPair('ES256');
    const { id } = await server().client({ token_endpoint_auth_method: 'private_key_jwt', jwks: { keys: [jwk] } });
    expect(await token(id, oauth.PrivateKeyJwt({ key: privateKey, kid: jwk.kid }))).to.include({ token_type: 'bearer' });
    expect(await token(id, oauth.PrivateKeyJwt(privateKey))).to.include({ token_type: 'bearer' });
  });

  it('gets a token with client_secret_jwt', async () => {
    const { id, secret } = await server().client({ token_endpoint_auth_method: 'client_secret_jwt' });
    expect(await token(id, oauth.ClientSecretJwt(secret))).to.include({ token_type: 'bearer' });
  });
});

function discover(server: TestServer, id: string, authentication: client.ClientAuth): Promise<client.Configuration> {
  return client.discovery(new URL(server.issuer), id, undefined, authentication, {
    // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
    execute: [client.allowInsecureRequests],
  });
}

/** A token for itself, a login, a refresh, a question about the token, and its end: each with an assertion of its own. */
async function doEverything(server: TestServer, id: string, authentication: client.ClientAuth): Promise<void> {
  const config = await discover(server, id, authentication);
  expect(await client.clientCredentialsGrant(config, { scope: 'api:write' })).to.include({ token_type: 'bearer', scope: 'api:write' });
  const checks = { pkceCodeVerifier: client.randomPKCECodeVerifier(), expectedState: client.randomState() };
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: REDIRECT_URI,
    scope: 'api:read',
    state: checks.expectedState,
    code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
    code_challenge_method: 'S256',
  });
  const tab = browser(server);
  const arrival = await passPages(tab, await tab.visit(url), await server.user());
  const tokens = await client.authorizationCodeGrant(config, new URL(arrival.url), checks);
  const refreshed = await client.refreshTokenGrant(config, tokens.refresh_token ?? '');
  expect(await client.tokenIntrospection(config, refreshed.access_token)).to.include({ active: true, client_id: id });
  await client.tokenRevocation(config, refreshed.refresh_token ?? '');
  expect(await client.tokenIntrospection(config, refreshed.access_token)).to.deep.equal({ active: false });
}
