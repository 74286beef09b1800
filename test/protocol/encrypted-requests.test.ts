import { expect } from 'chai';
import { rotateKey } from '../../src/keys/key-commands.ts';
import { keySettings } from '../../src/keys/key-settings.ts';
import { answerOf, eventually, expectError } from '../support/answers.ts';
import { type Changes, clientKeyPair } from '../support/assertions.ts';
import { answerAt, byReference, push, requestObject, requestParameters } from '../support/authorization-requests.ts';
import { browser, logIn, passPages } from '../support/browser.ts';
import { encryptedFor, encryptionPair, opened, serverKey } from '../support/encryption.ts';
import { suiteServer } from '../support/suite-server.ts';
import { REDIRECT_URI, type TestClient, type TestUser } from '../support/test-server.ts';

const ALGORITHMS = ['ECDH-ES', 'RSA-OAEP-256'];
const ENCRYPTIONS = ['A128CBC-HS256', 'A256CBC-HS512', 'A128GCM', 'A256GCM'];

describe('Encrypted request objects (RFC 9101 section 6.1)', () => {
  const server = suiteServer();
  const pair = clientKeyPair('ES256');
  const jwks = { keys: [pair.jwk] };
  let client: TestClient;
  let user: TestUser;
  before(async () => {
    client = await server().client({ jwks });
    user = await server().user();
  });

  async function encrypted(header: Changes = {}, changes: Changes = {}, as: TestClient = client) {
    const { parameters, verifier, state } = requestParameters(server(), as);
    const signed = await requestObject(server(), as, pair, { ...parameters, ...changes });
    return { object: await encryptedFor(server(), signed, header), signed, verifier, state };
  }

  async function send(request: string, as: TestClient = client) {
    const query = new URLSearchParams({ client_id: as.id, request });
    const tab = browser(server());
    return passPages(tab, await tab.visit(`${server().issuer}/authorize?${query.toString()}`), user);
  }

  for (const alg of ALGORITHMS) {
    it(`are taken with ${alg}, whatever encrypts the content`, async () => {
      for (const enc of ENCRYPTIONS) {
        const { object, state } = await encrypted({ alg, enc });
        expect(answerAt(await send(object)))
          .to.include({ state })
          .and.have.property('code');
      }
    });
  }

  it('are taken by way of a pushed request, and give tokens for what is inside', async () => {
    const { object, verifier } = await encrypted({}, { scope: 'api:read' });
    const { requestUri } = await push(server(), client, { request: object });
    const tab = browser(server());
    const { code = '' } = answerAt(await passPages(tab, await tab.visit(byReference(server(), client, requestUri)), user));
    const form = { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri: REDIRECT_URI };
    expect((await answerOf(server().post('/token', form, client))).body).to.include({ scope: 'api:read' });
  });

  it('need no kid and no cty', async () => {
    const { object } = await encrypted({ kid: undefined, cty: undefined });
    expect(answerAt(await send(object))).to.have.property('code');
  });

  it('are held to the same rules inside: a wrong aud is refused', async () => {
    const { object } = await encrypted({}, { aud: 'https://other.example' });
    expectError(await push(server(), client, { request: object }), 'invalid_request_object');
  });

  describe('of a client that is registered for them', () => {
    let registered: TestClient;
    before(async () => {
      registered = await server().client({
        jwks,
        request_object_encryption_alg: 'ECDH-ES',
        request_object_encryption_enc: 'A128GCM',
      });
    });

    it('are taken with that alg and enc', async () => {
      const { object } = await encrypted({ alg: 'ECDH-ES', enc: 'A128GCM' }, {}, registered);
      expect((await push(server(), registered, { request: object })).status).to.equal(201);
    });

    it('are refused with another alg or enc, and without encryption', async () => {
      const { signed } = await encrypted({}, {}, registered);
      for (const object of [
        (await encrypted({ alg: 'RSA-OAEP-256', enc: 'A128GCM' }, {}, registered)).object,
        (await encrypted({ alg: 'ECDH-ES', enc: 'A256GCM' }, {}, registered)).object,
        signed,
      ]) {
        expectError(await push(server(), registered, { request: object }), 'invalid_request_object');
      }
    });

    it('have A128CBC-HS256 where it names no enc (Registration section 2)', async () => {
      const other = await server().client({ jwks, request_object_encryption_alg: 'RSA-OAEP-256' });
      const { object } = await encrypted({ alg: 'RSA-OAEP-256', enc: 'A128CBC-HS256' }, {}, other);
      expect((await push(server(), other, { request: object })).status).to.equal(201);
    });
  });

  it('are for the key that is published; after a rotation the older one is published no more, and decrypts until it is gone', async () => {
    const before = await serverKey(server(), 'ECDH-ES');
    const { object } = await encrypted({}, { exp: server().clock.now() + 3600 });
    const { config, clock } = server();
    const upkeep = { directory: config.keysDirectory, settings: keySettings(config), clock, audit: { record: () => undefined } };
    const { promoted } = await rotateKey(upkeep, 'ECDH-ES');
    await eventually(async () => {
      expect((await serverKey(server(), 'ECDH-ES')).kid).to.equal(promoted);
    });
    const { body } = await answerOf(server().get('/jwks'));
    expect((body['keys'] as { readonly kid: string }[]).map(({ kid }) => kid)).not.to.include(before.kid);
    expect((await push(server(), client, { request: object })).status).to.equal(201);
    expect((await push(server(), client, { request: (await encrypted()).object })).status).to.equal(201);
  });

  describe('as an id_token_hint (OpenID Connect Core section 3.1.2.1)', () => {
    const own = encryptionPair();
    let hinting: TestClient;
    let idToken: string;
    before(async () => {
      hinting = await server().client({
        skip_consent: true,
        jwks: { keys: [own.jwk] },
        id_token_encrypted_response_alg: 'ECDH-ES',
        post_logout_redirect_uris: ['https://app.example/bye'],
      });
      idToken = String((await logIn(server(), hinting, user, { scope: 'openid' })).id_token);
    });

    async function hinted(hint: string, as: TestUser): Promise<string | undefined> {
      const { parameters } = requestParameters(server(), hinting, { scope: 'openid', id_token_hint: hint });
      const visitor = browser(server());
      const url = `${server().issuer}/authorize?${new URLSearchParams(parameters).toString()}`;
      const answer = answerAt(await passPages(visitor, await visitor.visit(url), as));
      return answer['error'] ?? ('code' in answer ? 'code' : undefined);
    }

    it('an ID token is taken decrypted, or encrypted again for this server, and holds', async () => {
      const { text } = await opened(idToken, own);
      const again = await encryptedFor(server(), text, { alg: 'RSA-OAEP-256' });
      const other = await server().user();
      for (const hint of [text, again]) {
        expect(await hinted(hint, user)).to.equal('code');
        expect(await hinted(hint, other)).to.equal('login_required');
      }
    });

    it('one that is encrypted for the client is not, nor what anybody else made', async () => {
      const forged = await encryptedFor(server(), await requestObject(server(), hinting, pair, { sub: user.id, auth_time: 1 }));
      for (const hint of [idToken, forged, await encryptedFor(server(), 'x')]) {
        expect(await hinted(hint, user)).to.equal('invalid_request');
      }
    });

    it('likewise at the end_session_endpoint (RP-Initiated Logout section 2)', async () => {
      const { text } = await opened(idToken, own);
      const hint = await encryptedFor(server(), text);
      const query = new URLSearchParams({ id_token_hint: hint, post_logout_redirect_uri: 'https://app.example/bye', state: 's' });
      const { url } = await browser(server()).visit(`${server().issuer}/logout?${query.toString()}`);
      expect(url.href).to.equal('https://app.example/bye?state=s');
    });
  });
});
