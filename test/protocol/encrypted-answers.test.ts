import { expect } from 'chai';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { answerOf, expectError, readIdToken } from '../support/answers.ts';
import { clientKeyPair } from '../support/assertions.ts';
import { answerAt } from '../support/authorization-requests.ts';
import { authorize, browser, codeRequest, logIn, passPages, refresh } from '../support/browser.ts';
import { type EncryptionPair, encryptionPair, opened } from '../support/encryption.ts';
import { accessTokenOf } from '../support/interop.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { suiteServer } from '../support/suite-server.ts';
import { basic, REDIRECT_URI, type TestClient, type TestUser } from '../support/test-server.ts';

const SIGNED_INTROSPECTION = 'application/token-introspection+jwt';

describe('Encrypted answers (OpenID Connect Core section 10.2)', () => {
  const server = suiteServer({ OUTBOUND_PRIVATE_ADDRESSES: 'on' });
  const pair = encryptionPair();
  let user: TestUser;
  let keyServer: KeyServer;
  before(async () => {
    user = await server().user({ name: 'Ada Lovelace' });
    keyServer = await startKeyServer();
  });
  after(() => keyServer.close());

  function registered(metadata: Readonly<Record<string, unknown>>, keys: readonly EncryptionPair[] = [pair]): Promise<TestClient> {
    return server().client({ skip_consent: true, jwks: { keys: keys.map(({ jwk }) => jwk) }, ...metadata });
  }

  /** Verifies what was inside, by the published keys. */
  async function verified(jwt: string, client: TestClient, typ = 'JWT') {
    const keys = (await answerOf(server().get('/jwks'))).body as unknown as JSONWebKeySet;
    const { payload } = await jwtVerify(jwt, createLocalJWKSet(keys), {
      issuer: server().issuer,
      audience: client.id,
      typ,
      currentDate: new Date(server().clock.now() * 1000),
    });
    return payload;
  }

  async function userinfo(client: TestClient) {
    const { access_token: token } = await logIn(server(), client, user, { scope: 'openid profile' });
    const response = await server().get('/userinfo', { authorization: `Bearer ${token}` });
    return { type: response.headers.get('content-type'), body: await response.text() };
  }

  async function answer(client: TestClient, parameters: Readonly<Record<string, string>>) {
    const { url, state } = codeRequest(server(), client, parameters);
    const tab = browser(server());
    return { state, arrival: await passPages(tab, await tab.visit(url), user) };
  }

  function registration(metadata: Readonly<Record<string, unknown>>): Promise<unknown> {
    return server()
      .client(metadata)
      .then(
        () => 'registered',
        (error: unknown) => (error instanceof Error ? error.message : error),
      );
  }

  describe('ID tokens', () => {
    const ways: readonly (readonly [kind: 'P-256' | 'P-384' | 'P-521' | 'X25519' | 'RSA', alg: string, enc: string])[] = [
      ['P-256', 'ECDH-ES', 'A128CBC-HS256'],
      ['P-256', 'ECDH-ES+A128KW', 'A128GCM'],
      ['P-384', 'ECDH-ES+A256KW', 'A256CBC-HS512'],
      ['P-521', 'ECDH-ES', 'A256GCM'],
      ['X25519', 'ECDH-ES', 'A128GCM'],
      ['RSA', 'RSA-OAEP-256', 'A256GCM'],
      ['RSA', 'RSA-OAEP', 'A256CBC-HS512'],
    ];
    for (const [kind, alg, enc] of ways) {
      it(`are signed, then encrypted by ${alg} and ${enc} for a key of the kind ${kind} (nested JWT)`, async () => {
        const own = encryptionPair(kind);
        const client = await registered({ id_token_encrypted_response_alg: alg, id_token_encrypted_response_enc: enc }, [own]);
        const tokens = await logIn(server(), client, user, { scope: 'openid', nonce: 'n' });
        const { header, text } = await opened(tokens.id_token, own);
        expect(header).to.include({ alg, enc, cty: 'JWT', kid: own.kid });
        expect((await readIdToken(server(), client, text)).claims).to.include({ sub: user.id, nonce: 'n' });
        const { id_token: again } = (await refresh(server(), client, tokens.refresh_token)).body;
        expect((await readIdToken(server(), client, (await opened(again, own)).text)).claims.sub).to.equal(user.id);
      });
    }

    it('have A128CBC-HS256 where the client names no enc (Registration section 2)', async () => {
      const client = await registered({ id_token_encrypted_response_alg: 'ECDH-ES+A128KW' });
      const { id_token } = await logIn(server(), client, user, { scope: 'openid' });
      expect((await opened(id_token, pair)).header.enc).to.equal('A128CBC-HS256');
    });

    it('are never for a key of another use, type or algorithm, and rather for one that says enc', async () => {
      const unlabelled = encryptionPair('P-256', { use: undefined });
      const keys = [
        encryptionPair('P-256', { use: 'sig' }),
        encryptionPair('RSA'),
        encryptionPair('P-256', { alg: 'ECDH-ES' }),
        unlabelled,
      ];
      const metadata = { id_token_encrypted_response_alg: 'ECDH-ES+A128KW' };
      const { id_token } = await logIn(server(), await registered(metadata, keys), user, { scope: 'openid' });
      expect((await opened(id_token, unlabelled)).header.kid).to.equal(unlabelled.kid);
      const other = await logIn(server(), await registered(metadata, [...keys, pair]), user, { scope: 'openid' });
      expect((await opened(other.id_token, pair)).header.kid).to.equal(pair.kid);
    });

    it('are for the key that jwks_uri has now, once its max-age is over (section 10.2.1)', async () => {
      const [before, after] = [encryptionPair(), encryptionPair()];
      keyServer.publish([before.jwk], { 'cache-control': 'max-age=60' });
      const client = await server().client({
        skip_consent: true,
        jwks_uri: `${keyServer.url}/rotating`,
        id_token_encrypted_response_alg: 'ECDH-ES',
      });
      const first = await logIn(server(), client, user, { scope: 'openid' });
      await opened(first.id_token, before);
      keyServer.publish([after.jwk]);
      server().clock.advance(61);
      const { body } = await refresh(server(), client, first.refresh_token);
      await opened(body['id_token'], after);
    });

    it('are not given in the clear where there is no key: the code and the refresh token stay good', async () => {
      keyServer.publish([pair.jwk], { 'cache-control': 'max-age=60' });
      const client = await server().client({
        skip_consent: true,
        jwks_uri: `${keyServer.url}/gone`,
        id_token_encrypted_response_alg: 'ECDH-ES',
      });
      const { refresh_token } = await logIn(server(), client, user, { scope: 'openid' });
      server().clock.advance(40);
      const { code, verifier } = await authorize(server(), client, user, { scope: 'openid' });
      const forms = [
        { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI },
        { grant_type: 'refresh_token', refresh_token },
      ];
      keyServer.publish([clientKeyPair('ES256').jwk]);
      server().clock.advance(21);
      for (const form of forms) {
        const refused = await answerOf(server().post('/token', form, client));
        expectError(refused, 'temporarily_unavailable', 503);
        expect(refused.headers.get('retry-after')).to.equal('30');
      }
      const grants = await server().repositories.grants.list({ clientId: client.id }, { limit: 2 });
      expect(grants.map(({ generation }) => generation)).to.have.members([0, 1]);
      keyServer.publish([pair.jwk]);
      server().clock.advance(31);
      for (const form of forms) {
        const { body } = await answerOf(server().post('/token', form, client));
        await opened(body['id_token'], pair);
      }
    });
  });

  describe('userinfo (section 5.3.2)', () => {
    it('is signed, then encrypted, for a client that wants both', async () => {
      const client = await registered({ userinfo_signed_response_alg: 'ES256', userinfo_encrypted_response_alg: 'ECDH-ES' });
      const { type, body } = await userinfo(client);
      const { header, text } = await opened(body, pair);
      expect([type, header.cty]).to.deep.equal(['application/jwt', 'JWT']);
      expect(await verified(text, client)).to.include({ sub: user.id, name: 'Ada Lovelace' });
    });

    it('is its claims, encrypted, for a client that wants no signature', async () => {
      const client = await registered({ userinfo_encrypted_response_alg: 'ECDH-ES', userinfo_encrypted_response_enc: 'A256GCM' });
      const { type, body } = await userinfo(client);
      const { header, text } = await opened(body, pair);
      expect(type).to.equal('application/jwt');
      expect(header).to.include({ enc: 'A256GCM' }).and.not.to.have.property('cty');
      expect(JSON.parse(text)).to.include({ sub: user.id, name: 'Ada Lovelace' }).and.not.have.any.keys('iss', 'aud');
    });
  });

  describe('authorization responses (JARM section 2.2)', () => {
    for (const response_mode of ['query.jwt', 'fragment.jwt', 'form_post.jwt']) {
      it(`are nested JWTs, codes and errors, in the mode ${response_mode}`, async () => {
        const client = await registered({
          authorization_encrypted_response_alg: 'ECDH-ES+A256KW',
          authorization_encrypted_response_enc: 'A128GCM',
        });
        for (const [prompt, outcome] of [
          ['login', 'code'],
          ['none', 'error'],
        ] as const) {
          const { state, arrival } = await answer(client, { response_mode, prompt });
          const parameters = answerAt(arrival);
          expect(parameters).to.have.all.keys('response');
          const { header, text } = await opened(parameters['response'], pair);
          expect(header).to.include({ alg: 'ECDH-ES+A256KW', enc: 'A128GCM', cty: 'JWT', kid: pair.kid });
          expect(await verified(text, client))
            .to.include({ state })
            .and.have.property(outcome);
        }
      });
    }

    it('are not sent where there is no key: the user sees an error', async () => {
      keyServer.publish([pair.jwk], { 'cache-control': 'max-age=60' });
      const client = await server().client({
        skip_consent: true,
        jwks_uri: `${keyServer.url}/jarm`,
        authorization_encrypted_response_alg: 'ECDH-ES',
      });
      keyServer.publish([]);
      server().clock.advance(61);
      const { arrival } = await answer(client, { response_mode: 'jwt' });
      expect([arrival.status, arrival.url.origin]).to.deep.equal([503, new URL(server().issuer).origin]);
    });

    it('are plain where the client registered a plain mode and asks for it', async () => {
      const client = await registered({ authorization_encrypted_response_alg: 'ECDH-ES', response_modes: ['query', 'jwt'] });
      expect(answerAt((await answer(client, {})).arrival)).to.have.property('code');
    });
  });

  it('introspection is signed, then encrypted (RFC 9701 sections 5 and 6)', async () => {
    const client = await registered({ introspection_encrypted_response_alg: 'ECDH-ES' });
    const response = await fetch(`${server().issuer}/introspect`, {
      method: 'POST',
      body: new URLSearchParams({ token: await accessTokenOf(server(), client) }),
      headers: { accept: SIGNED_INTROSPECTION, authorization: basic(client) },
    });
    expect(response.headers.get('content-type')).to.equal(SIGNED_INTROSPECTION);
    const { header, text } = await opened(await response.text(), pair);
    expect(header).to.include({ alg: 'ECDH-ES', enc: 'A128CBC-HS256', cty: 'JWT' });
    const claims = await verified(text, client, 'token-introspection+jwt');
    expect(claims['token_introspection']).to.include({ active: true, client_id: client.id });
  });

  it('cost others nothing: the keys of a client that is not registered for them are not asked for', async () => {
    const client = await server().client({ skip_consent: true, jwks_uri: `${keyServer.url}/never` });
    const { id_token: token, refresh_token: next } = await logIn(server(), client, user, { scope: 'openid' });
    expect((await readIdToken(server(), client, token)).claims.sub).to.equal(user.id);
    expect((await refresh(server(), client, next)).status).to.equal(200);
    expect(keyServer.requests).not.to.include('/never');
  });

  describe('are registered', () => {
    it('only with a key that the algorithm can use, by value', async () => {
      const keys = [encryptionPair('RSA').jwk, clientKeyPair('ES256').jwk];
      for (const [what, metadata] of [
        ['no keys', {}],
        ['an RSA key and one for signatures', { jwks: { keys } }],
      ] as const) {
        expect(await registration({ id_token_encrypted_response_alg: 'ECDH-ES', ...metadata }), what).to.match(
          /^id_token_encrypted_response_alg: ECDH-ES needs an EC key/,
        );
      }
      expect(await registration({ userinfo_encrypted_response_alg: 'RSA-OAEP-256', jwks: { keys } })).to.equal('registered');
    });

    it('only with a key that the algorithm can use, at jwks_uri', async () => {
      const metadata = { jwks_uri: `${keyServer.url}/registering`, introspection_encrypted_response_alg: 'RSA-OAEP-256' };
      keyServer.publish([pair.jwk]);
      expect(await registration(metadata)).to.match(/^jwks_uri: the key set has no key for RSA-OAEP-256/);
      keyServer.answer((_, response) => response.writeHead(404).end());
      expect(await registration(metadata)).to.match(/^jwks_uri: the key set cannot be used/);
      keyServer.publish([encryptionPair('RSA').jwk]);
      expect(await registration(metadata)).to.equal('registered');
    });

    it('only with algorithms that are safe', async () => {
      const keys = { jwks: { keys: [pair.jwk, encryptionPair('RSA').jwk] } };
      for (const alg of ['RSA1_5', 'dir', 'A128KW', 'PBES2-HS256+A128KW', 'none']) {
        expect(await registration({ ...keys, id_token_encrypted_response_alg: alg }), alg).to.match(
          /^id_token_encrypted_response_alg: must be one of/,
        );
      }
      expect(
        await registration({ ...keys, userinfo_encrypted_response_alg: 'ECDH-ES', userinfo_encrypted_response_enc: 'A192GCM' }),
      ).to.match(/^userinfo_encrypted_response_enc: must be one of/);
    });
  });
});
