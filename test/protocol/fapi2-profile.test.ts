import { expect } from 'chai';
import { decodeProtectedHeader } from 'jose';
import { expectError, postForm, readAccessToken, readIdToken } from '../support/answers.ts';
import { assertionClaims, assertionForm, clientKeyPair, signAssertion } from '../support/assertions.ts';
import { requestObject, requestParameters } from '../support/authorization-requests.ts';
import { browser } from '../support/browser.ts';
import { type HeldCertificate, selfSigned } from '../support/certificates.ts';
import { onEachDatabase, sqliteDatabases } from '../support/databases.ts';
import { proofKey } from '../support/dpop.ts';
import { encryptedFor, encryptionPair, opened } from '../support/encryption.ts';
import { arriveWith, ask, codeOf, type Fapi2Client, fapi2Client, pushAs, redeem, userinfo } from '../support/fapi2.ts';
import { startLogoutReceiver } from '../support/logout-receiver.ts';
import { behindProxy, passedOn } from '../support/mutual-tls.ts';
import { REDIRECT_URI, startTestServer, type TestServer, type TestUser } from '../support/test-server.ts';

// Names of modules of the conformance suite stand in titles without their prefix, fapi2-security-profile-final-.
onEachDatabase('FAPI 2.0 Security Profile', (database) => {
  let server: TestServer;
  let user: TestUser;
  let client: Fapi2Client;
  before(async () => {
    // What the server allows to others: the profile must be stricter by itself.
    server = await startTestServer(await database.create(), {
      AUTHORIZATION_CODE_TTL: '5m',
      SIGNING_ALGS: 'RS256,PS256,ES256',
      OUTBOUND_PRIVATE_ADDRESSES: 'on',
    });
    user = await server.user();
    client = await fapi2Client(server);
  });
  after(() => server.close());

  const serviceToken = { grant_type: 'client_credentials', scope: 'api:read' };

  it('happy-flow: a pushed request, a code, bound tokens, userinfo, a refresh', async () => {
    const { status, body } = await redeem(server, client, await codeOf(server, client, user, { scope: 'openid', nonce: 'n' }));
    expect(status).to.equal(200);
    expect(body).to.include({ token_type: 'DPoP' });
    const { claims } = await readAccessToken(server, body['access_token']);
    expect(claims['cnf']).to.deep.equal({ jkt: client.dpop.thumbprint });
    const proof = await client.dpop.proof({
      url: `${server.issuer}/userinfo`,
      method: 'GET',
      now: server.clock.now(),
      accessToken: String(body['access_token']),
    });
    expect((await userinfo(server, body['access_token'], proof)).body).to.include({ sub: user.id });
    const again = await ask(server, client, '/token', { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) });
    expect(again.status).to.equal(200);
  });

  describe('client authentication (section 5.3.2.1)', () => {
    it('par-test-array-as-audience-fails: the issuer, as a text, is the one audience', async () => {
      const { issuer } = server;
      for (const aud of [[issuer], [issuer, `${issuer}/token`], `${issuer}/token`, `${issuer}/par`]) {
        expectError(await pushAs(server, client, {}, { claims: { aud } }), 'invalid_client', 401);
        expectError(await ask(server, client, '/token', serviceToken, { claims: { aud } }), 'invalid_client', 401);
      }
    });

    it('ensure-client-assertion-in-token-endpoint: pushes and token requests without it are refused', async () => {
      expectError(await pushAs(server, client, {}, { claims: null }), 'invalid_client', 401);
      const named = { ...serviceToken, client_id: client.id };
      expectError(await ask(server, client, '/token', named, { claims: null }), 'invalid_client', 401);
    });

    it('ensure-signed-client-assertion-with-RS256-fails: nor by any other algorithm than PS256, ES256, EdDSA (section 5.4.1)', async () => {
      const rsa = clientKeyPair('PS256');
      const curve = clientKeyPair('ES384');
      const edwards = clientKeyPair('EdDSA');
      const several = await fapi2Client(server, { jwks: { keys: [rsa.jwk, curve.jwk, edwards.jwk] } }, rsa);
      for (const pair of [{ ...rsa, alg: 'RS256' }, { ...rsa, alg: 'PS384' }, curve]) {
        expectError(await ask(server, several, '/token', serviceToken, { pair }), 'invalid_client', 401);
      }
      for (const pair of [rsa, edwards, { ...edwards, alg: 'Ed25519' }]) {
        expect((await ask(server, several, '/token', serviceToken, { pair })).status).to.equal(200);
      }
    });
  });

  describe('authorization requests (section 5.3.2.2)', () => {
    it('ensure-unsigned-authorization-request-without-using-par-fails', async () => {
      const { parameters, state } = requestParameters(server, client);
      const { url } = await browser(server).visit(`${server.issuer}/authorize?${new URLSearchParams(parameters).toString()}`);
      expect(url.href.startsWith(REDIRECT_URI)).to.equal(true);
      expect(Object.fromEntries(url.searchParams)).to.include({ error: 'invalid_request', state, iss: server.issuer });
    });

    it('ensure-redirect-uri-in-authorization-request: also where the client has only one', async () => {
      expectError(await pushAs(server, client, { redirect_uri: undefined }), 'invalid_request');
    });

    it('par-ensure-pkce-required, par-plain-pkce-rejected', async () => {
      expectError(await pushAs(server, client, { code_challenge: undefined, code_challenge_method: undefined }), 'invalid_request');
      expectError(await pushAs(server, client, { code_challenge_method: 'plain' }), 'invalid_request');
      expectError(await pushAs(server, client, { code_challenge_method: undefined }), 'invalid_request');
    });

    it('ensure-response-type-code-idtoken-fails, ensure-response-type-token-fails', async () => {
      for (const response_type of ['code id_token', 'token', 'id_token', 'none']) {
        expectError(await pushAs(server, client, { response_type }), 'unsupported_response_type');
      }
    });

    it('ensure-authorization-request-with-64-char-nonce-success, and a state of a thousand characters', async () => {
      const nonce = 'n'.repeat(64);
      const state = 's'.repeat(1000);
      const { requestUri, verifier, body } = await pushAs(server, client, { scope: 'openid', nonce, state });
      expect(body['expires_in']).to.be.below(600);
      const { url } = await arriveWith(server, client, requestUri, user);
      expect(Object.fromEntries(url.searchParams)).to.include({ state, iss: server.issuer });
      const tokens = await redeem(server, client, { code: url.searchParams.get('code') ?? '', verifier });
      expect((await readIdToken(server, client, tokens.body['id_token'])).claims).to.include({ nonce });
    });
  });

  describe('codes and tokens (section 5.3.2.1)', () => {
    it('ensure-token-endpoint-fails-with-expired-auth-code: a code lives for 60 seconds, whatever the server gives to others', async () => {
      const code = await codeOf(server, client, user);
      server.clock.advance(59);
      expect((await redeem(server, client, code)).status).to.equal(200);
      const late = await codeOf(server, client, user);
      server.clock.advance(60);
      expectError(await redeem(server, client, late), 'invalid_grant');
    });

    it('attempt-reuse-authorization-code-after-one-second: a code counts once, and what came of it ends', async () => {
      const code = await codeOf(server, client, user);
      const { body } = await redeem(server, client, code);
      server.clock.advance(1);
      expectError(await redeem(server, client, code), 'invalid_grant');
      const refresh = { grant_type: 'refresh_token', refresh_token: String(body['refresh_token']) };
      expectError(await ask(server, client, '/token', refresh), 'invalid_grant');
    });

    it('ensure-holder-of-key-required: no token without a proof, and the code stays good', async () => {
      const code = await codeOf(server, client, user);
      expectError(await redeem(server, client, code, { dpop: null }), 'invalid_dpop_proof');
      expectError(await ask(server, client, '/token', serviceToken, { dpop: null }), 'invalid_dpop_proof');
      expect((await redeem(server, client, code)).status).to.equal(200);
    });

    it('refresh-token: stays the same (no rotation), however often it is used', async () => {
      const { body } = await redeem(server, client, await codeOf(server, client, user));
      for (const _ of [1, 2, 3]) {
        server.clock.advance(60);
        const refreshed = await ask(server, client, '/token', {
          grant_type: 'refresh_token',
          refresh_token: String(body['refresh_token']),
        });
        expect(refreshed.body).to.include({ refresh_token: body['refresh_token'], token_type: 'DPoP' });
      }
    });

    it('dpop-negative-tests, RS256: a proof is by PS256, ES256 or EdDSA, at the token endpoint and at userinfo', async () => {
      const rsa = await proofKey('PS256');
      const legacy = await proofKey('RS256');
      expectError(await ask(server, client, '/token', serviceToken, { dpop: legacy }), 'invalid_dpop_proof');
      const { body } = await redeem(server, client, await codeOf(server, client, user, { scope: 'openid' }), { dpop: rsa });
      const token = String(body['access_token']);
      const at = { url: `${server.issuer}/userinfo`, method: 'GET', now: server.clock.now(), accessToken: token };
      const refused = await userinfo(server, token, await legacy.proof(at));
      expect(refused.status).to.equal(401);
      expect(refused.headers.get('www-authenticate'))
        .to.match(/invalid_dpop_proof/)
        .and.match(/its alg must be one of/);
      expect((await userinfo(server, token, await rsa.proof(at))).status).to.equal(200);
    });

    it('are signed by PS256, though the server signs by RS256 first (section 5.4.1)', async () => {
      const code = await codeOf(server, client, user, { scope: 'openid' });
      const { body } = await redeem(server, client, code);
      expect((await readAccessToken(server, body['access_token'])).header.alg).to.equal('PS256');
      expect((await readIdToken(server, client, body['id_token'])).header.alg).to.equal('PS256');
      const own = await fapi2Client(server, { access_token_signed_response_alg: 'ES256', id_token_signed_response_alg: 'ES256' });
      const other = await redeem(server, own, await codeOf(server, own, user, { scope: 'openid' }));
      expect((await readAccessToken(server, other.body['access_token'])).header.alg).to.equal('ES256');
      expect((await readIdToken(server, own, other.body['id_token'])).header.alg).to.equal('ES256');
    });
  });

  describe('what else is signed for the client (section 5.4.1)', () => {
    it('logout tokens are by PS256', async () => {
      const receiver = await startLogoutReceiver();
      const told = await fapi2Client(server, { backchannel_logout_uri: receiver.uri });
      const tab = browser(server);
      const { body } = await redeem(server, told, await codeOf(server, told, user, { scope: 'openid' }, tab));
      await tab.visit(`/logout?id_token_hint=${String(body['id_token'])}`);
      await receiver.times(1);
      expect(decodeProtectedHeader(receiver.received[0]?.token ?? '').alg).to.equal('PS256');
      await receiver.close();
    });

    it('signed introspection is by PS256', async () => {
      const { body } = await ask(server, client, '/token', serviceToken);
      const assertion = assertionForm(await signAssertion(assertionClaims(server, client.id), client.pair));
      const form = new URLSearchParams({ token: String(body['access_token']), ...assertion });
      const headers = { accept: 'application/token-introspection+jwt' };
      const response = await fetch(`${server.issuer}/introspect`, { method: 'POST', body: form, headers });
      expect(decodeProtectedHeader(await response.text()).alg).to.equal('PS256');
    });

    it('signed userinfo is by PS256 where SIGNING_ALGS has lost what the client is registered for', async () => {
      const late = await fapi2Client(server);
      const { clientStore } = server.repositories;
      const record = (await clientStore.find(late.id)) ?? expect.fail();
      await clientStore.replace({ ...record, metadata: { ...record.metadata, userinfo_signed_response_alg: 'EdDSA' } });
      const { body } = await redeem(server, late, await codeOf(server, late, user, { scope: 'openid' }));
      const accessToken = String(body['access_token']);
      const proof = await late.dpop.proof({ url: `${server.issuer}/userinfo`, method: 'GET', now: server.clock.now(), accessToken });
      const response = await server.get('/userinfo', { authorization: `DPoP ${accessToken}`, dpop: proof });
      expect(decodeProtectedHeader(await response.text()).alg).to.equal('PS256');
    });
  });

  describe('Message Signing', () => {
    let signer: Fapi2Client;
    before(async () => {
      signer = await fapi2Client(server, { require_signed_request_object: true });
    });

    async function pushSigned(claims: Readonly<Record<string, unknown>> = {}, pair = signer.pair) {
      const { parameters, verifier } = requestParameters(server, signer, { response_mode: 'jwt' });
      const request = await requestObject(server, signer, pair, { ...parameters, ...claims });
      return { ...(await ask(server, signer, '/par', { request }, { dpop: null })), verifier };
    }

    it('takes a signed request, and answers by a JWT that PS256 signed (sections 5.3.1 and 5.4.1)', async () => {
      const { status, body } = await pushSigned();
      expect(status).to.equal(201);
      const { url } = await arriveWith(server, signer, String(body['request_uri']), user);
      expect([...url.searchParams.keys()]).to.deep.equal(['response']);
      const { header, claims } = await readIdToken(server, signer, url.searchParams.get('response'));
      expect([header.alg, claims.aud]).to.deep.equal(['PS256', signer.id]);
    });

    it('encrypts what it signs for a client that is registered so, and takes its encrypted requests', async () => {
      const own = encryptionPair();
      const metadata = { authorization_encrypted_response_alg: 'ECDH-ES', request_object_encryption_alg: 'RSA-OAEP-256' };
      const secretive = await fapi2Client(server, { ...metadata, jwks: { keys: [signer.pair.jwk, own.jwk] } }, signer.pair);
      const { parameters } = requestParameters(server, secretive, { response_mode: 'jwt' });
      const signed = await requestObject(server, secretive, signer.pair, parameters);
      const request = await encryptedFor(server, signed, { alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256' });
      const { body } = await ask(server, secretive, '/par', { request }, { dpop: null });
      const { url } = await arriveWith(server, secretive, String(body['request_uri']), user);
      const { text } = await opened(url.searchParams.get('response'), own);
      expect((await readIdToken(server, secretive, text)).header.alg).to.equal('PS256');
    });

    it('refuses a request that is not signed', async () => {
      expectError(await pushAs(server, signer), 'invalid_request');
    });

    it('refuses a request object without nbf, of more than 60 minutes ago, or that lives longer than that (section 5.3.1)', async () => {
      const now = server.clock.now();
      for (const claims of [
        { nbf: undefined },
        { nbf: now - 3601, exp: now + 10 },
        { nbf: now, exp: now + 3601 },
        { exp: undefined },
        { nbf: now + 61, exp: now + 100 },
      ]) {
        expectError(await pushSigned(claims), 'invalid_request_object');
      }
      expect((await pushSigned({ nbf: now - 3590, exp: now + 10 })).status).to.equal(201);
      expect((await pushSigned({ nbf: now + 8 })).status).to.equal(201);
    });

    it('refuses a request object by RS256 (Security Profile section 5.4.1)', async () => {
      const rsa = clientKeyPair('PS256');
      const own = await fapi2Client(server, {}, rsa);
      const { parameters } = requestParameters(server, own);
      for (const [alg, status] of [
        ['RS256', 400],
        ['PS256', 201],
      ] as const) {
        const request = await requestObject(server, own, { ...rsa, alg }, parameters);
        const answer = await ask(server, own, '/par', { request }, { dpop: null });
        expect([answer.status, answer.body['error']]).to.deep.equal([status, status === 400 ? 'invalid_request_object' : undefined]);
      }
    });
  });
});

describe('FAPI 2.0 Security Profile, with mutual TLS (RFC 8705)', () => {
  const databases = sqliteDatabases();
  const certificate = selfSigned();
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await databases.create(), (await behindProxy()).settings);
  });
  after(async () => {
    await server.close();
    await databases.dispose();
  });

  const token = (id: string, shown: HeldCertificate | undefined) =>
    postForm(server, '/token', `grant_type=client_credentials&client_id=${id}`, passedOn(shown));

  it('authenticates by a certificate, and binds tokens to it (section 5.3.2.1)', async () => {
    const { id } = await server.client({
      profile: 'fapi2',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      tls_client_certificate_bound_access_tokens: true,
      jwks: certificate.keySet,
    });
    const { body } = await token(id, certificate);
    expect((await readAccessToken(server, body['access_token'])).claims['cnf']).to.deep.equal({ 'x5t#S256': certificate.thumbprint });
    expectError(await token(id, selfSigned()), 'invalid_client', 401);
  });

  it('gives no token by the certificate alone where a client did not choose it for a binding', async () => {
    const { id } = await server.client({
      profile: 'fapi2',
      token_endpoint_auth_method: 'self_signed_tls_client_auth',
      jwks: certificate.keySet,
    });
    expectError(await token(id, certificate), 'invalid_dpop_proof');
  });
});
