import type { KeyObject, webcrypto } from 'node:crypto';
import { expect } from 'chai';
import { compactDecrypt } from 'jose';
import jose from 'node-jose';
import * as oauth from 'oauth4webapi';
import * as client from 'openid-client';
import { readIdToken } from '../support/answers.ts';
import { clientKeyPair } from '../support/assertions.ts';
import { push, requestObject, requestParameters } from '../support/authorization-requests.ts';
import { browser, logIn, passPages } from '../support/browser.ts';
import { type EncryptionPair, encryptionPair } from '../support/encryption.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI, type TestClient, type TestUser } from '../support/test-server.ts';

describe('encryption: answers that other libraries decrypt, and requests that they encrypt', () => {
  const server = suiteServer();
  const keys = { EC: encryptionPair(), RSA: encryptionPair('RSA') };
  let user: TestUser;
  before(async () => {
    user = await server().user({ name: 'Ada Lovelace' });
  });

  const encrypted = (alg: string, enc: string): Readonly<Record<string, unknown>> => ({
    skip_consent: true,
    scope: 'openid profile api:read',
    jwks: { keys: [keys.EC.jwk, keys.RSA.jwk] },
    userinfo_signed_response_alg: 'ES256',
    ...Object.fromEntries(
      ['id_token', 'userinfo', 'authorization', 'introspection'].flatMap((what) => [
        [`${what}_encrypted_response_alg`, alg],
        [`${what}_encrypted_response_enc`, enc],
      ]),
    ),
  });

  for (const [alg, enc, kind] of [
    ['ECDH-ES', 'A128CBC-HS256', 'EC'],
    ['ECDH-ES+A256KW', 'A256GCM', 'EC'],
    ['RSA-OAEP-256', 'A256CBC-HS512', 'RSA'],
  ] as const) {
    it(`openid-client 6 reads a JARM response, an ID token and userinfo, by ${alg} and ${enc}`, async () => {
      const { id, secret } = await server().client(encrypted(alg, enc));
      const signing = { authorization_signed_response_alg: 'RS256', userinfo_signed_response_alg: 'ES256' };
      const config = await client.discovery(new URL(server().issuer), id, signing, client.ClientSecretBasic(secret), {
        // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
        execute: [client.allowInsecureRequests, client.useJwtResponseMode],
      });
      client.enableDecryptingResponses(config, [enc], { key: await decryptionKey(keys[kind], kind), alg, kid: keys[kind].kid });
      const checks = {
        pkceCodeVerifier: client.randomPKCECodeVerifier(),
        expectedState: client.randomState(),
        expectedNonce: client.randomNonce(),
        idTokenExpected: true,
      };
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: REDIRECT_URI,
        scope: 'openid profile',
        state: checks.expectedState,
        nonce: checks.expectedNonce,
        code_challenge: await client.calculatePKCECodeChallenge(checks.pkceCodeVerifier),
        code_challenge_method: 'S256',
      });
      const tab = browser(server());
      const arrival = await passPages(tab, await tab.visit(url), user);
      const tokens = await client.authorizationCodeGrant(config, new URL(arrival.url), checks);
      expect(tokens.claims()?.sub).to.equal(user.id);
      expect(isEncrypted(arrival.url.searchParams.get('response')) && isEncrypted(tokens.id_token)).to.equal(true);
      expect(await client.fetchUserInfo(config, tokens.access_token, user.id)).to.include({ name: 'Ada Lovelace' });
    });
  }

  it('oauth4webapi 3 reads a JARM response, an ID token and introspection, with a decryption of its user’s', async () => {
    const registered = await server().client(encrypted('ECDH-ES+A128KW', 'A128GCM'));
    const opened: string[] = [];
    const decrypting = {
      async [oauth.jweDecrypt](jwe: string) {
        opened.push(jwe);
        const { plaintext } = await compactDecrypt(jwe, keys.EC.privateKey);
        return new TextDecoder().decode(plaintext);
      },
    };
    // oxlint-disable-next-line typescript/no-deprecated -- marked so that nobody uses it outside of tests like this
    const insecure = { [oauth.allowInsecureRequests]: true };
    const issuer = new URL(server().issuer);
    const as = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, insecure));
    const me: oauth.Client = {
      client_id: registered.id,
      authorization_signed_response_alg: 'RS256',
      introspection_signed_response_alg: 'RS256',
    };
    const authentication = oauth.ClientSecretBasic(registered.secret);
    const { parameters, verifier, state } = requestParameters(server(), registered, { response_mode: 'jwt', scope: 'openid' });
    const tab = browser(server());
    const arrival = await passPages(
      tab,
      await tab.visit(`${as.authorization_endpoint ?? ''}?${new URLSearchParams(parameters).toString()}`),
      user,
    );
    const answer = await oauth.validateJwtAuthResponse(as, me, new URL(arrival.url), state, { ...insecure, ...decrypting });
    const response = await oauth.authorizationCodeGrantRequest(as, me, authentication, answer, REDIRECT_URI, verifier, insecure);
    const tokens = await oauth.processAuthorizationCodeResponse(as, me, response, { requireIdToken: true, ...decrypting });
    expect(oauth.getValidatedIdTokenClaims(tokens)?.sub).to.equal(user.id);
    const asked = await oauth.introspectionRequest(as, me, authentication, tokens.access_token, {
      ...insecure,
      requestJwtResponse: true,
    });
    expect(await oauth.processIntrospectionResponse(as, me, asked, decrypting)).to.include({ active: true, sub: user.id });
    expect(opened).to.have.length(3);
  });

  describe('node-jose', () => {
    for (const [alg, enc, kind] of [
      ['ECDH-ES', 'A128CBC-HS256', 'EC'],
      ['ECDH-ES+A128KW', 'A256GCM', 'EC'],
      ['RSA-OAEP-256', 'A128GCM', 'RSA'],
    ] as const) {
      it(`decrypts an ID token of ${alg} and ${enc}`, async () => {
        const registered = await server().client({ ...encrypted(alg, enc), response_modes: ['query'] });
        const { id_token: token } = await logIn(server(), registered, user, { scope: 'openid' });
        const own = await jose.JWK.asKey(privateJwk(keys[kind]));
        const { plaintext, header } = await jose.JWE.createDecrypt(own, { algorithms: [alg, enc] }).decrypt(String(token));
        expect(header).to.include({ alg, enc, cty: 'JWT' });
        expect((await readIdToken(server(), registered, plaintext.toString())).claims.sub).to.equal(user.id);
      });
    }

    for (const [alg, enc, kind] of [
      ['ECDH-ES', 'A128CBC-HS256', 'EC'],
      ['ECDH-ES', 'A256GCM', 'EC'],
      ['RSA-OAEP-256', 'A128GCM', 'RSA'],
    ] as const) {
      it(`encrypts a request object by ${alg} and ${enc} for the key that the server publishes`, async () => {
        const pair = clientKeyPair('ES256');
        const registered: TestClient = await server().client({
          jwks: { keys: [pair.jwk] },
          request_object_encryption_alg: alg,
          request_object_encryption_enc: enc,
        });
        const published = await jose.JWK.asKeyStore(await (await server().get('/jwks')).text());
        const [recipient] = published.all({ use: 'enc', kty: kind });
        const signed = await requestObject(server(), registered, pair, requestParameters(server(), registered).parameters);
        const options = { format: 'compact', contentAlg: enc, fields: { alg, cty: 'JWT' } } as const;
        const encryption = jose.JWE.createEncrypt(options, recipient ?? fail('the server publishes no such key'));
        const object = await encryption.update(signed).final();
        expect(isEncrypted(object)).to.equal(true);
        expect((await push(server(), registered, { request: object })).status).to.equal(201);
      });
    }
  });
});

function isEncrypted(token: string | null | undefined): boolean {
  return token?.split('.').length === 5;
}

function privateJwk({ privateKey, kid }: EncryptionPair): object {
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'enc' };
}

/** The private key as the Web Cryptography API has it. */
function decryptionKey({ privateKey }: { readonly privateKey: KeyObject }, kind: 'EC' | 'RSA'): Promise<webcrypto.CryptoKey> {
  const jwk = privateKey.export({ format: 'jwk' });
  return kind === 'EC'
    ? crypto.subtle.importKey('jwk', jwk, { name: 'ECDH', namedCurve: 'P-256' }, false, ['deriveBits'])
    : crypto.subtle.importKey('jwk', jwk, { name: 'RSA-OAEP', hash: 'SHA-256' }, false, ['decrypt']);
}

function fail(message: string): never {
  throw new Error(message);
}
