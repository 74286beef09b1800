import { randomUUID } from 'node:crypto';
import { expect } from 'chai';
import { SignJWT } from 'jose';
import { InvalidClientMetadata } from '../../src/clients/client-metadata-rules.ts';
import { CIBA_GRANT } from '../../src/clients/deferred-grants.ts';
import { type Answer, answerOf, expectError } from '../support/answers.ts';
import { type ClientKeyPair, clientKeyPair } from '../support/assertions.ts';
import { CIBA, cibaClient, decideNewest, poll, request } from '../support/ciba.ts';
import { suiteServer } from '../support/suite-server.ts';
import type { TestClient, TestUser } from '../support/test-server.ts';

describe('signed backchannel authentication requests (CIBA section 7.1.1)', () => {
  const server = suiteServer(CIBA);
  const pair = clientKeyPair('ES256');
  let client: TestClient;
  let user: TestUser;
  before(async () => {
    client = await cibaClient(server(), {
      backchannel_authentication_request_signing_alg: 'ES256',
      require_signed_request_object: true,
      jwks: { keys: [pair.jwk] },
    });
  });
  beforeEach(async () => {
    user = await server().user();
  });

  async function signed(changes: Readonly<Record<string, unknown>> = {}, by: ClientKeyPair = pair): Promise<string> {
    const now = server().clock.now();
    const claims = {
      iss: client.id,
      aud: server().issuer,
      iat: now,
      nbf: now,
      exp: now + 60,
      jti: randomUUID(),
      scope: 'openid',
      login_hint: user.username,
      requested_expiry: 60,
      ...changes,
    };
    const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
    return new SignJWT(given).setProtectedHeader({ alg: by.alg, kid: by.kid }).sign(by.privateKey);
  }

  function send(jws: string, more: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return answerOf(server().post('/backchannel-authentication', { request: jws, ...more }, client));
  }

  it('are taken for what is in them, numbers included', async () => {
    const { status, body } = await send(await signed());
    expect(status).to.equal(200);
    expect(body['expires_in']).to.equal(60);
    await decideNewest(server(), user);
    expect((await poll(server(), client, String(body['auth_req_id']))).status).to.equal(200);
  });

  it('are the only ones that such a client may send, and no other may send one', async () => {
    expectError(await request(server(), client, { login_hint: user.username }), 'invalid_request');
    const other = await cibaClient(server(), { jwks: { keys: [pair.jwk] } });
    const jws = await signed({ iss: other.id });
    expectError(await answerOf(server().post('/backchannel-authentication', { request: jws }, other)), 'invalid_request');
  });

  it('have nothing beside them but what authenticates the client', async () => {
    for (const more of [{ scope: 'openid' }, { binding_message: 'x' }, { login_hint: user.username }]) {
      expectError(await send(await signed(), more), 'invalid_request');
    }
    expect((await send(await signed(), { client_id: client.id })).status).to.equal(200);
  });

  it('need aud, iss, exp, iat, nbf and jti, each of them right', async () => {
    const now = server().clock.now();
    for (const changes of [
      ...['aud', 'iss', 'exp', 'iat', 'nbf', 'jti'].map((name) => ({ [name]: undefined })),
      { aud: 'https://other.example' },
      { iss: 'another' },
      { client_id: 'another' },
      { exp: now },
      { exp: now + 86_400 },
      { nbf: now + 600 },
      { jti: '' },
      { jti: 7 },
      { jti: 'x'.repeat(257) },
      { request: 'ey.x.y' },
    ]) {
      expectError(await send(await signed(changes)), 'invalid_request');
    }
    expect(await server().repositories.deferredRequests.openFor(user.id, now)).to.deep.equal([]);
  });

  it('are signed by a key of the client with the algorithm that it registered', async () => {
    expectError(await send(await signed({}, clientKeyPair('ES256'))), 'invalid_request');
    expectError(await send(await signed({}, { ...clientKeyPair('PS256'), kid: pair.kid })), 'invalid_request');
    const [, payload = ''] = (await signed()).split('.');
    const header = Buffer.from('{"alg":"none"}').toString('base64url');
    expectError(await send(`${header}.${payload}.`), 'invalid_request');
  });

  it('count once', async () => {
    const jws = await signed();
    const answers = await Promise.all([send(jws), send(jws), send(jws)]);
    expect(answers.map(({ status }) => status)).to.have.members([200, 400, 400]);
    expect(await server().repositories.deferredRequests.openFor(user.id, server().clock.now())).to.have.length(1);
  });

  it('are what a client with the profile fapi2 must register', async () => {
    const fapi2 = {
      profile: 'fapi2',
      grant_types: [CIBA_GRANT],
      token_endpoint_auth_method: 'private_key_jwt',
      jwks: { keys: [pair.jwk] },
    };
    const refused = await cibaClient(server(), fapi2).catch((error: unknown) => error);
    expect(refused).to.be.an.instanceOf(InvalidClientMetadata);
    expect((refused as Error).message).to.match(/^backchannel_authentication_request_signing_alg: /);
    for (const [algorithm, isTaken] of [
      ['ES256', true],
      ['RS256', false],
    ] as const) {
      const metadata = { ...fapi2, backchannel_authentication_request_signing_alg: algorithm };
      expect(
        await cibaClient(server(), metadata).then(
          () => true,
          () => false,
        ),
      ).to.equal(isTaken);
    }
  });
});
