import { expect } from 'chai';
import { type Answer, answerOf, expectError, readAccessToken } from '../support/answers.ts';
import type { Changes } from '../support/assertions.ts';
import { onEachDatabase } from '../support/databases.ts';
import { PAYMENT, registerDetailTypes } from '../support/detail-types.ts';
import { type ProofKey, proofFor, proofKey } from '../support/dpop.ts';
import { suiteServer } from '../support/suite-server.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';
import { type AssertingIssuer, assertingIssuer, JWT_BEARER, PRESENTER, present, trust } from '../support/trusted-issuers.ts';

const CHAT = 'https://chat.example/';
const FILES = 'https://files.example/';
const DETAILS = [{ type: 'payment_initiation', instructedAmount: { currency: 'EUR', amount: '1.00' } }];

onEachDatabase('ID-JAGs (draft-ietf-oauth-identity-assertion-authz-grant-03) with FEATURES=id-jag', (database) => {
  let server: TestServer;
  let client: TestClient;
  let user: TestUser;
  let idp: AssertingIssuer;
  let tenanted: AssertingIssuer;
  let plain: AssertingIssuer;
  before(async () => {
    server = await startTestServer(await database.create(), { FEATURES: 'id-jag' });
    await registerDetailTypes(server);
    client = await server.client({
      ...PRESENTER,
      scope: 'chat.read chat.history chat.write',
      allowed_resources: [CHAT, FILES],
      authorization_details_types: [PAYMENT.type],
    });
    user = await server.user();
    idp = assertingIssuer(server, 'https://acme.idp.example');
    tenanted = assertingIssuer(server, 'https://tenants.idp.example');
    plain = assertingIssuer(server, 'https://plain.idp.example');
    const policy = { purposes: ['id-jag'], allowed_clients: [client.id], scope: 'chat.read chat.history' };
    await trust(server, idp, policy);
    await trust(server, tenanted, { ...policy, tenant: 'acme' });
    await trust(server, plain, { ...policy, purposes: ['jwt-bearer'] });
  });
  after(() => server.close());

  const presentWith = async (assertion: string, by: ProofKey | undefined): Promise<Answer> =>
    answerOf(
      fetch(`${server.url}/token`, {
        method: 'POST',
        headers: by === undefined ? {} : { dpop: await proofFor(server, by, '/token') },
        body: new URLSearchParams({ grant_type: JWT_BEARER, assertion, client_id: client.id, client_secret: client.secret }),
      }),
    );
  const idJag = (changes: Changes = {}, header: Changes = {}, by = idp): Promise<string> =>
    by.assertion(user.id, { client_id: client.id, ...changes }, { typ: 'oauth-id-jag+jwt', ...header });
  const refused = async (assertion: string): Promise<string> => {
    const answer = await present(server, client, assertion);
    expectError(answer, 'invalid_grant');
    return String(answer.body['error_description']);
  };

  it('are announced (section 7.2), and give an access token of the user, without a refresh token', async () => {
    const metadata = (await answerOf(server.get('/.well-known/oauth-authorization-server'))).body;
    expect(metadata['authorization_grant_profiles_supported']).to.deep.equal(['urn:ietf:params:oauth:grant-profile:id-jag']);
    expect(metadata['grant_types_supported']).to.include(JWT_BEARER);
    // The example of section 3.1, with what an ID token may have besides.
    const assertion = await idJag({
      resource: CHAT,
      scope: 'chat.read chat.history',
      auth_time: 1,
      amr: ['mfa'],
      acr: 'x',
      nonce: 'n',
      email: 'a@b.c',
    });
    const { status, body } = await present(server, client, assertion);
    expect(status).to.equal(200);
    expect(body).to.include({ token_type: 'Bearer', scope: 'chat.read chat.history', resource: CHAT });
    expect(body).not.to.have.property('refresh_token');
    const { claims } = await readAccessToken(server, body['access_token']);
    expect(claims).to.include({ sub: user.id, client_id: client.id, aud: CHAT, scope: 'chat.read chat.history' });
    expect(claims).not.to.have.any.keys('auth_time', 'acr', 'amr');
  });

  it('give no more than they say, and no more than the policy and the client have: scope and resource (section 4.4.1)', async () => {
    const less = await present(
      server,
      client,
      await idJag({ scope: 'chat.read chat.write admin', resource: [FILES, 'https://other.example/'] }),
    );
    expect(less.body).to.include({ scope: 'chat.read', resource: FILES });
    expect((await present(server, client, await idJag({ scope: 'chat.read chat.history' }), { scope: 'chat.history' })).body).to.include({
      scope: 'chat.history',
    });
    // Granted is granted, whoever named it.
    expect((await present(server, client, await idJag(), { resource: FILES })).body).to.include({ resource: FILES });
    const both = await present(server, client, await idJag({ resource: [CHAT, FILES] }));
    expect(both.body['resource']).to.deep.equal([CHAT, FILES]);
    expect((await present(server, client, await idJag({ resource: [CHAT, FILES] }), { resource: CHAT })).body['resource']).to.equal(CHAT);
    expect((await present(server, client, await idJag())).body).to.include({ scope: 'chat.read chat.history' });
    expectError(await present(server, client, await idJag({ scope: 'chat.write' })), 'invalid_scope');
    expectError(await present(server, client, await idJag({ scope: 'chat.read' }), { scope: 'chat.history' }), 'invalid_scope');
    expectError(await present(server, client, await idJag({ resource: 'https://other.example/' })), 'invalid_target');
    expectError(await present(server, client, await idJag({ resource: CHAT }), { resource: FILES }), 'invalid_target');
    for (const wrong of [{ scope: ['chat.read'] }, { scope: 'a"b' }, { resource: 7 }, { resource: [] }, { resource: [7] }]) {
      expect(await refused(await idJag(wrong))).to.match(/of the assertion/);
    }
  });

  it('may say in detail what they are good for (RFC 9396): types that are unknown are refused, and no scope is made up', async () => {
    const { status, body } = await present(server, client, await idJag({ authorization_details: DETAILS }));
    expect(status).to.equal(200);
    expect(body['authorization_details']).to.deep.equal(DETAILS);
    expect(body).not.to.have.property('scope');
    const { claims } = await readAccessToken(server, body['access_token']);
    expect(claims['authorization_details']).to.deep.equal(DETAILS);
    expect(claims).not.to.have.property('scope');
    const [grant] = await server.repositories.grants.list({ userId: user.id }, { limit: 1 });
    expect(grant?.authorizationDetails).to.deep.equal(DETAILS);
    const withScope = await present(server, client, await idJag({ authorization_details: DETAILS, scope: 'chat.read' }));
    expect(withScope.body).to.include({ scope: 'chat.read' });
    for (const wrong of [[{ type: 'unknown' }], [{ ...DETAILS[0], more: 1 }], []]) {
      expectError(await present(server, client, await idJag({ authorization_details: wrong })), 'invalid_authorization_details');
    }
    expect(await refused(await idJag({ authorization_details: 'x' }))).to.match(/authorization_details/);
  });

  it('are refused for another client, without client_id, iat or jti, and for another audience (section 4.4.1)', async () => {
    for (const wrong of [
      { client_id: 'other' },
      { client_id: undefined },
      { client_id: [client.id] },
      { iat: undefined },
      { jti: undefined },
      { exp: undefined },
      { aud: 'https://other.example' },
      { aud: [server.issuer, 'https://other.example'] },
      { aud: `${server.issuer}/token` },
    ]) {
      await refused(await idJag(wrong));
    }
    expect((await present(server, client, await idJag({ aud: [server.issuer] }))).status).to.equal(200);
    const other = await server.client({ ...PRESENTER });
    expectError(await present(server, other, await idJag()), 'invalid_grant');
  });

  it('count once', async () => {
    const assertion = await idJag();
    const answers = await Promise.all(Array.from({ length: 10 }, () => present(server, client, assertion)));
    expect(answers.filter(({ status }) => status === 200)).to.have.length(1);
    expect(await refused(assertion)).to.match(/used before/);
  });

  it('are not taken from an issuer of plain assertions, nor plain assertions from one of ID-JAGs', async () => {
    await refused(await idJag({}, {}, plain));
    await refused(await idJag({}, { typ: 'JWT' }));
    await refused(await idJag({}, { typ: undefined }));
    expect((await present(server, client, await idJag({}, { typ: 'application/oauth-id-jag+jwt' }))).status).to.equal(200);
    expect((await present(server, client, await plain.assertion(user.id))).status).to.equal(200);
  });

  it('are of the tenant that their issuer is trusted for; actors and tenants of ours mean nothing here', async () => {
    expect((await present(server, client, await idJag({ tenant: 'acme' }, {}, tenanted))).status).to.equal(200);
    await refused(await idJag({ tenant: 'other' }, {}, tenanted));
    await refused(await idJag({}, {}, tenanted));
    await refused(await idJag({ tenant: 'acme' }));
    await refused(await idJag({ act: { sub: 'agent' } }));
    await refused(await idJag({ aud_tenant: 'acme' }));
  });

  describe('that are bound to a key (section 8.6)', () => {
    let key: ProofKey;
    before(async () => {
      key = await proofKey();
    });
    it('need a proof of that very key, and the token is bound to it', async () => {
      const unbound = await presentWith(await idJag(), key);
      const { cnf } = (await readAccessToken(server, unbound.body['access_token'])).claims as { readonly cnf: { readonly jkt: string } };
      const bound = await idJag({ cnf });
      expectError(await presentWith(bound, undefined), 'invalid_grant');
      expectError(await presentWith(bound, await proofKey()), 'invalid_grant');
      const { body } = await presentWith(bound, key);
      expect(body['token_type']).to.equal('DPoP');
      expect((await readAccessToken(server, body['access_token'])).claims['cnf']).to.deep.equal(cnf);
    });

    it('are refused when the binding is of a kind that is not known', async () => {
      for (const cnf of [{}, 'x', { 'x5t#S256': 'x' }, { jkt: 'x', kid: 'y' }, { jwk: {} }]) {
        expectError(await presentWith(await idJag({ cnf }), key), 'invalid_grant');
      }
    });
  });
});

describe('ID-JAGs without FEATURES=id-jag', () => {
  const server = suiteServer();

  it('are no assertions, and nothing is said of them in the metadata', async () => {
    const client = await server().client({ ...PRESENTER });
    const user = await server().user();
    const idp = assertingIssuer(server(), 'https://acme.idp.example');
    await trust(server(), idp, { purposes: ['id-jag', 'jwt-bearer'], allowed_clients: [client.id] });
    const assertion = await idp.assertion(user.id, { client_id: client.id }, { typ: 'oauth-id-jag+jwt' });
    const answer = await present(server(), client, assertion);
    expectError(answer, 'invalid_grant');
    expect(answer.body['error_description']).to.match(/typ of the assertion/);
    const metadata = (await answerOf(server().get('/.well-known/oauth-authorization-server'))).body;
    expect(metadata).not.to.have.property('authorization_grant_profiles_supported');
  });
});
