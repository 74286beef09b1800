import { createSecretKey } from 'node:crypto';
import { expect } from 'chai';
import { SignJWT, UnsecuredJWT } from 'jose';
import { answerOf, expectError } from '../support/answers.ts';
import { type Changes, type ClientKeyPair, clientKeyPair } from '../support/assertions.ts';
import {
  answerAt,
  byReference,
  push,
  type RequestParameters,
  requestObject,
  requestParameters,
} from '../support/authorization-requests.ts';
import { browser, passPages } from '../support/browser.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';
import { REDIRECT_URI } from '../support/test-server.ts';

describe('JWT-secured authorization requests (RFC 9101)', () => {
  const server = suiteServer({ OUTBOUND_PRIVATE_ADDRESSES: 'on' });
  const pair = clientKeyPair('ES256');
  let client: TestClient;
  let user: TestUser;
  before(async () => {
    client = await server().client({ jwks: { keys: [pair.jwk] } });
    user = await server().user();
  });

  /** A request object with the parameters of an authorization request, and what the client keeps of them. */
  async function signed(changes: Changes = {}, header: Changes = {}, as: TestClient = client, by: ClientKeyPair = pair) {
    const { parameters, verifier, state } = requestParameters(server(), as);
    return { object: await requestObject(server(), as, by, { ...parameters, ...changes }, header), verifier, state };
  }

  async function send(request: string, beside: Readonly<Record<string, string>> = {}, as: TestClient = client) {
    const query = new URLSearchParams({ client_id: as.id, request, ...beside });
    const tab = browser(server());
    return passPages(tab, await tab.visit(`${server().issuer}/authorize?${query.toString()}`), user);
  }

  /** What becomes of a request object: `code`, or the error; by the browser, and pushed. */
  async function outcomesOf(object: string, as: TestClient = client): Promise<readonly (string | undefined)[]> {
    const answer = answerAt(await send(object, { redirect_uri: REDIRECT_URI }, as));
    const pushed = await answerOf(server().post('/par', { request: object }, as));
    return [answer['error'] ?? ('code' in answer ? 'code' : undefined), pushed.status === 201 ? '201' : String(pushed.body['error'])];
  }

  describe('by value at the authorization endpoint (section 5.1)', () => {
    it('is the whole request: client_id and request are enough', async () => {
      const { object, state, verifier } = await signed({ scope: 'api:read' });
      const { searchParams } = (await send(object)).url;
      expect(Object.fromEntries(searchParams)).to.include({ state, iss: server().issuer });
      const form = {
        grant_type: 'authorization_code',
        code: searchParams.get('code') ?? '',
        code_verifier: verifier,
        redirect_uri: REDIRECT_URI,
      };
      expect((await answerOf(server().post('/token', form, client))).body).to.include({ scope: 'api:read' });
    });

    it('fapi2-security-profile-final-ensure-different-state-inside-and-outside-request-object: only what is inside counts (section 6.3)', async () => {
      const { object, state } = await signed({ scope: 'api:read' });
      const beside = {
        state: 'outside',
        scope: 'api:write',
        response_mode: 'fragment',
        redirect_uri: 'https://evil.example',
        prompt: 'none',
      };
      const { url } = await send(object, beside);
      expect(url.origin + url.pathname).to.equal(REDIRECT_URI);
      expect(url.searchParams.get('state')).to.equal(state);
      const [grant] = await server().repositories.grants.list({ clientId: client.id }, { limit: 1 });
      expect(grant?.scope).to.deep.equal(['api:read']);
    });

    it('fapi2-security-profile-final-state-only-outside-request-object-not-used', async () => {
      const { object } = await signed({ state: undefined });
      const { searchParams } = (await send(object, { state: 'outside' })).url;
      expect(searchParams.has('code')).to.equal(true);
      expect(searchParams.has('state')).to.equal(false);
    });

    it('oidcc-ensure-request-object-with-redirect-uri: the one inside is used', async () => {
      const other = 'https://app.example/other';
      const two = await server().client({ jwks: { keys: [pair.jwk] }, redirect_uris: [REDIRECT_URI, other] });
      const { object } = await signed({ redirect_uri: other }, {}, two);
      const { url } = await send(object, { redirect_uri: REDIRECT_URI }, two);
      expect(url.origin + url.pathname).to.equal(other);
    });

    it('fapi2-security-profile-final-ensure-request-object-without-redirect-uri-fails, where there are two to choose from', async () => {
      const two = await server().client({ jwks: { keys: [pair.jwk] }, redirect_uris: [REDIRECT_URI, 'https://app.example/other'] });
      const { object } = await signed({ redirect_uri: undefined }, {}, two);
      expect((await send(object, { redirect_uri: REDIRECT_URI }, two)).status).to.equal(400);
      expectError(await push(server(), two, { request: object, redirect_uri: REDIRECT_URI }), 'invalid_request');
    });

    it('can be sent by POST, and goes through login and consent', async () => {
      const { object, state } = await signed({ prompt: 'login consent', max_age: 10_000 });
      const response = await server().post('/authorize', { client_id: client.id, request: object });
      const tab = browser(server());
      const arrival = await passPages(tab, await tab.visit(response.headers.get('location') ?? ''), user);
      expect(arrival.url.searchParams.get('state')).to.equal(state);
    });

    it('takes lists, numbers and objects of JSON for the parameters they are (section 4)', async () => {
      const resources = ['https://one.example', 'https://two.example'];
      const many = await server().client({ jwks: { keys: [pair.jwk] }, allowed_resources: resources });
      const { object } = await signed(
        { resource: resources, max_age: 3600, claims: { userinfo: { name: null } }, ui_locales: null },
        {},
        many,
      );
      expect((await send(object, {}, many)).url.searchParams.has('code')).to.equal(true);
      const [grant] = await server().repositories.grants.list({ clientId: many.id }, { limit: 1 });
      expect(grant?.resources).to.deep.equal(resources);
    });

    it('sends the error where the object says, once it is believed', async () => {
      const { object, state } = await signed({ scope: 'admin', response_mode: 'fragment' });
      const { url } = await send(object, { state: 'outside' });
      expect(new URLSearchParams(url.hash.slice(1)).get('state')).to.equal(state);
      expect(new URLSearchParams(url.hash.slice(1)).get('error')).to.equal('invalid_scope');
    });

    it('shows an error where the object is not believed, and nothing outside says where else', async () => {
      const { object } = await signed({}, {}, client, clientKeyPair('ES256'));
      const two = await server().client({ jwks: { keys: [pair.jwk] }, redirect_uris: [REDIRECT_URI, 'https://app.example/other'] });
      for (const beside of [{}, { redirect_uri: 'https://evil.example' }]) {
        const arrival = await send(object, beside, two);
        expect(arrival.status).to.equal(400);
        expect(arrival.html).to.include('invalid_request_object');
      }
    });

    it('is no reason to know a client that there is not', async () => {
      const { object } = await signed();
      expect((await send(object, {}, { id: 'nobody', secret: '' })).html).to.include('invalid_request');
    });

    it('must not stand beside a request_uri (section 5)', async () => {
      const { object } = await signed();
      const { searchParams } = (await send(object, { request_uri: 'https://app.example/r', redirect_uri: REDIRECT_URI })).url;
      expect(searchParams.get('error')).to.equal('invalid_request');
    });
  });

  describe('pushed (RFC 9126 section 3)', () => {
    it('is the whole request, whatever else is in the body', async () => {
      const { object, state } = await signed({ scope: 'api:read' });
      const { status, requestUri } = await push(server(), client, {
        request: object,
        scope: 'api:write',
        state: 'outside',
        response_type: 'token',
      });
      expect(status).to.equal(201);
      const tab = browser(server());
      const arrival = await passPages(tab, await tab.visit(byReference(server(), client, requestUri)), user);
      expect(arrival.url.searchParams.get('state')).to.equal(state);
      const [grant] = await server().repositories.grants.list({ clientId: client.id }, { limit: 1 });
      expect(grant?.scope).to.deep.equal(['api:read']);
    });

    it('must be of the client that authenticates', async () => {
      const { object } = await signed();
      const other = await server().client({ jwks: { keys: [pair.jwk] } });
      expectError(await push(server(), other, { request: object }), 'invalid_request_object');
    });

    it('needs everything inside: what is only outside is missing', async () => {
      const { object } = await signed({ response_type: undefined });
      expectError(await push(server(), client, { request: object, response_type: 'code' }), 'invalid_request');
    });
  });

  // Messages of FAPI 2.0 Message Signing's plan, and what else must be wrong or right about the object itself.
  const cases: readonly (readonly [what: string, changes: (now: number, issuer: string) => Changes, accepted: boolean])[] = [
    ['several audiences, one of them this server', (_, issuer) => ({ aud: ['https://other.example', issuer] }), true],
    ['another audience', () => ({ aud: 'https://other.example' }), false],
    ['the audience with a slash more', (_, issuer) => ({ aud: `${issuer}/` }), false],
    ['no audience', () => ({ aud: undefined }), false],
    ['no exp', () => ({ exp: undefined }), false],
    ['an exp that is a text', (now) => ({ exp: String(now + 60) }), false],
    ['an exp that is over', (now) => ({ exp: now }), false],
    ['an exp 61 minutes after nbf', (now) => ({ nbf: now, exp: now + 3661 }), false],
    ['an exp 60 minutes after nbf', (now) => ({ nbf: now, exp: now + 3600 }), true],
    ['an exp 61 minutes ahead, without nbf', (now) => ({ nbf: undefined, exp: now + 3661 }), false],
    ['no nbf', () => ({ nbf: undefined }), true],
    ['an nbf 8 seconds ahead', (now) => ({ nbf: now + 8 }), true],
    ['an nbf 61 seconds ahead', (now) => ({ nbf: now + 61 }), false],
    ['an nbf 62 minutes ago', (now) => ({ nbf: now - 3720, exp: now + 10 }), false],
    ['an iat 61 seconds ahead', (now) => ({ iat: now + 61 }), false],
    ['another iss', () => ({ iss: 'somebody' }), false],
    ['no iss', () => ({ iss: undefined }), true],
    ['another client_id inside', () => ({ client_id: 'somebody' }), false],
    ['no client_id inside', () => ({ client_id: undefined }), false],
    ['a request_uri inside', () => ({ request_uri: 'urn:ietf:params:oauth:request_uri:x' }), false],
    ['a request inside', () => ({ request: 'x.y.z' }), false],
    ['a text with NUL inside', () => ({ login_hint: 'a\0b' }), false],
  ];
  for (const [what, changes, accepted] of cases) {
    it(`${accepted ? 'accepts' : 'refuses'} ${what}`, async () => {
      const { object } = await signed(changes(server().clock.now(), server().issuer));
      expect(await outcomesOf(object)).to.deep.equal(accepted ? ['code', '201'] : ['invalid_request_object', 'invalid_request_object']);
    });
  }

  it('refuses a sub that is the client, which only an assertion has (section 10.8)', async () => {
    const { object } = await signed({ sub: client.id });
    expect(await outcomesOf(object)).to.deep.equal(['invalid_request_object', 'invalid_request_object']);
  });

  const headers: readonly (readonly [what: string, header: Changes, accepted: boolean])[] = [
    ['typ oauth-authz-req+jwt', {}, true],
    ['typ application/oauth-authz-req+jwt', { typ: 'application/oauth-authz-req+jwt' }, true],
    ['typ JWT', { typ: 'JWT' }, true],
    ['no typ', { typ: undefined }, true],
    ['typ client-authentication+jwt', { typ: 'client-authentication+jwt' }, false],
    ['typ dpop+jwt', { typ: 'dpop+jwt' }, false],
    ['no kid', { kid: undefined }, true],
    ["a kid that is none of the client's", { kid: 'other' }, false],
  ];
  for (const [what, header, accepted] of headers) {
    it(`${accepted ? 'accepts' : 'refuses'} ${what} (sections 6.2 and 10.8)`, async () => {
      const { object } = await signed({}, header);
      expect(await outcomesOf(object)).to.deep.equal(accepted ? ['code', '201'] : ['invalid_request_object', 'invalid_request_object']);
    });
  }

  describe('its signature (section 6.2)', () => {
    it('refuses another key, another payload, and no signature', async () => {
      const { object } = await signed();
      const [header = '', , signature = ''] = object.split('.');
      const { parameters } = requestParameters(server(), client);
      const forged = Buffer.from(JSON.stringify({ ...parameters, iss: client.id, aud: server().issuer, exp: server().clock.now() + 60 }));
      const objects = [
        (await signed({}, { kid: pair.kid }, client, clientKeyPair('ES256'))).object,
        `${header}.${forged.toString('base64url')}.${signature}`,
        new UnsecuredJWT({ ...parameters, iss: client.id, aud: server().issuer, exp: server().clock.now() + 60 }).encode(),
        `${object.split('.').slice(0, 2).join('.')}.`,
        'x.y.z',
        'x',
      ];
      for (const each of objects) {
        expect(await outcomesOf(each)).to.deep.equal(['invalid_request_object', 'invalid_request_object']);
      }
    });

    it('refuses HMAC by the public key, or by the secret', async () => {
      const { parameters } = requestParameters(server(), client);
      for (const secret of [JSON.stringify(pair.jwk), client.secret]) {
        const object = await new SignJWT({ ...parameters, iss: client.id, aud: server().issuer, exp: server().clock.now() + 60 })
          .setProtectedHeader({ alg: 'HS256', typ: 'oauth-authz-req+jwt', kid: pair.kid })
          .sign(createSecretKey(Buffer.from(secret)));
        expect(await outcomesOf(object)).to.deep.equal(['invalid_request_object', 'invalid_request_object']);
      }
    });

    it('believes no key that the object brings along', async () => {
      const own = clientKeyPair('ES256');
      const { object } = await signed({}, { jwk: own.jwk }, client, own);
      expect(await outcomesOf(object)).to.deep.equal(['invalid_request_object', 'invalid_request_object']);
    });

    it('takes the registered algorithm alone, where one is registered', async () => {
      const rsa = clientKeyPair('PS256');
      const strict = await server().client({ jwks: { keys: [rsa.jwk, pair.jwk] }, request_object_signing_alg: 'PS256' });
      expect(await outcomesOf((await signed({}, {}, strict, rsa)).object, strict)).to.deep.equal(['code', '201']);
      for (const by of [pair, { ...rsa, alg: 'RS256' }]) {
        expect(await outcomesOf((await signed({}, {}, strict, by)).object, strict)).to.deep.equal([
          'invalid_request_object',
          'invalid_request_object',
        ]);
      }
    });

    it('oidcc-request-uri-signed-rs256, by value: takes RS256 and the other asymmetric algorithms', async () => {
      for (const alg of ['RS256', 'PS384', 'ES512', 'EdDSA']) {
        const by = clientKeyPair(alg);
        const other = await server().client({ jwks: { keys: [by.jwk] } });
        expect(await outcomesOf((await signed({}, {}, other, by)).object, other), alg).to.deep.equal(['code', '201']);
      }
    });

    it('takes keys from the jwks_uri of the client', async () => {
      const keys: KeyServer = await startKeyServer();
      try {
        keys.publish([pair.jwk]);
        const remote = await server().client({ jwks_uri: `${keys.url}/jwks` });
        expect(await outcomesOf((await signed({}, {}, remote)).object, remote)).to.deep.equal(['code', '201']);
      } finally {
        await keys.close();
      }
    });
  });

  describe('what is supported', () => {
    it('is in the metadata (sections 9.2 and 10.5, OpenID Connect Discovery section 3)', async () => {
      const { body } = await answerOf(server().get('/.well-known/openid-configuration'));
      expect(body).to.include({ request_parameter_supported: true, request_uri_parameter_supported: false });
      expect(body['request_object_signing_alg_values_supported'])
        .to.include.members(['ES256', 'RS256', 'PS256', 'EdDSA'])
        .and.not.include.members(['none']);
    });

    it('oidcc-unsigned-request-object-supported-correctly-or-rejected-as-unsupported: a client without keys is told so', async () => {
      const plain = await server().client();
      const { parameters } = requestParameters(server(), plain);
      const object = new UnsecuredJWT({ ...parameters, iss: plain.id, aud: server().issuer }).encode();
      expect(await outcomesOf(object, plain)).to.deep.equal(['request_not_supported', 'request_not_supported']);
    });

    it('oidcc-request-uri-unsigned-supported-correctly-or-rejected-as-unsupported: nothing is fetched for a request_uri', async () => {
      const keys = await startKeyServer();
      try {
        const { parameters } = requestParameters(server(), client);
        const query = new URLSearchParams({ ...parameters, request_uri: `${keys.url}/request.jwt` });
        const { url } = await browser(server()).visit(`${server().issuer}/authorize?${query.toString()}`);
        expect(url.searchParams.get('error')).to.equal('request_uri_not_supported');
        expect(keys.requests).to.deep.equal([]);
      } finally {
        await keys.close();
      }
    });
  });

  describe('where it is required (section 10.5)', () => {
    let strict: TestClient;
    before(async () => {
      strict = await server().client({ jwks: { keys: [pair.jwk] }, require_signed_request_object: true });
    });

    async function plain(changes: RequestParameters = {}) {
      return requestParameters(server(), strict, changes).parameters;
    }

    it('fapi2-message-signing: an unsigned request is refused, by the browser and pushed (RFC 9126 section 2.3)', async () => {
      const query = new URLSearchParams(await plain());
      const { url } = await browser(server()).visit(`${server().issuer}/authorize?${query.toString()}`);
      expect(url.searchParams.get('error')).to.equal('invalid_request');
      expectError(await push(server(), strict, await plain()), 'invalid_request');
    });

    it('a signed one is taken, by the browser and by its reference', async () => {
      expect(await outcomesOf((await signed({}, {}, strict)).object, strict)).to.deep.equal(['code', '201']);
      const { requestUri } = await push(server(), strict, { request: (await signed({}, {}, strict)).object });
      const tab = browser(server());
      const arrival = await passPages(tab, await tab.visit(byReference(server(), strict, requestUri)), user);
      expect(arrival.url.searchParams.has('code')).to.equal(true);
    });

    it('cannot be registered without keys', async () => {
      const refusal: unknown = await server()
        .client({ require_signed_request_object: true })
        .catch((error: unknown) => error);
      expect(refusal).to.have.property('code', 'invalid_client_metadata');
    });
  });
});
