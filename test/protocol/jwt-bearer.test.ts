import { expect } from 'chai';
import { answerOf, expectError, readAccessToken } from '../support/answers.ts';
import { clientKeyPair } from '../support/assertions.ts';
import { onEachDatabase } from '../support/databases.ts';
import { proofFor, proofKey } from '../support/dpop.ts';
import { type KeyServer, startKeyServer } from '../support/key-server.ts';
import { startTestServer, type TestClient, type TestServer, type TestUser } from '../support/test-server.ts';
import { type AssertingIssuer, assertingIssuer, JWT_BEARER, PRESENTER, present, trust } from '../support/trusted-issuers.ts';

const API = 'https://api.example/';
const PAY = 'https://pay.example/';

onEachDatabase('the JWT bearer grant (RFC 7523 section 2.1, with RFC 10070)', (database) => {
  let server: TestServer;
  let keyServer: KeyServer;
  let client: TestClient;
  let user: TestUser;
  let byId: AssertingIssuer;
  let byName: AssertingIssuer;
  let byEmail: AssertingIssuer;
  let byLink: AssertingIssuer;
  let publishing: AssertingIssuer;
  let discovered: AssertingIssuer;
  let brief: AssertingIssuer;
  let narrow: AssertingIssuer;

  before(async () => {
    server = await startTestServer(await database.create());
    keyServer = await startKeyServer();
    client = await server.client({ ...PRESENTER, scope: 'api:read api:write openid', allowed_resources: [API, PAY] });
    user = await server.user();
    const named = (name: string): AssertingIssuer => assertingIssuer(server, `https://${name}.example`);
    byId = named('ids');
    byName = named('names');
    byEmail = named('mail');
    byLink = named('links');
    brief = named('brief');
    narrow = named('narrow');
    publishing = named('publishing');
    discovered = assertingIssuer(server, keyServer.url);
    const clients = { allowed_clients: [client.id], scope: 'api:read api:write' };
    await trust(server, byId, clients);
    await trust(server, byName, { ...clients, subject_mapping: 'username' });
    await trust(server, byEmail, { ...clients, subject_mapping: 'email' });
    await trust(server, byLink, { ...clients, subject_mapping: 'links' });
    await trust(server, brief, { ...clients, assertion_max_lifetime: 30, signing_algs: ['ES256'] });
    await trust(server, narrow, { ...clients, scope: 'api:read other', allowed_resources: [PAY, 'https://third.example/'] });
    await trust(server, publishing, { ...clients, jwks_uri: `${keyServer.url}/keys`, private_addresses: true });
    await trust(server, discovered, { ...clients, jwks: undefined, private_addresses: true });
  });
  after(async () => {
    await server.close();
    await keyServer.close();
  });

  describe('a token', () => {
    it('is for the user of the assertion, bound to the client, with what the policy lets it carry, and without refresh token', async () => {
      const { status, headers, body } = await present(server, client, await byId.assertion(user.id));
      expect(status).to.equal(200);
      expect(headers.get('cache-control')).to.equal('no-store');
      expect(body).to.include({ token_type: 'Bearer', expires_in: 900, scope: 'api:read api:write' });
      expect(body).not.to.have.any.keys('refresh_token', 'id_token', 'resource');
      const { claims } = await readAccessToken(server, body['access_token']);
      expect(claims).to.include({ iss: server.issuer, sub: user.id, client_id: client.id, aud: API, scope: 'api:read api:write' });
      // Nobody logged in here.
      expect(claims).not.to.have.any.keys('auth_time', 'acr');
    });

    it('may be asked for less: scope, and a resource of the client (RFC 8707)', async () => {
      const { body } = await present(server, client, await byId.assertion(user.id), { scope: 'api:read', resource: PAY });
      expect(body).to.include({ resource: PAY });
      expect((await readAccessToken(server, body['access_token'])).claims).to.include({ aud: PAY, scope: 'api:read' });
    });

    it('is bound to the DPoP key of the request', async () => {
      const key = await proofKey();
      const response = await fetch(`${server.url}/token`, {
        method: 'POST',
        headers: { dpop: await proofFor(server, key, '/token') },
        body: new URLSearchParams({
          grant_type: JWT_BEARER,
          assertion: await byId.assertion(user.id),
          client_id: client.id,
          client_secret: client.secret,
        }),
      });
      const { body } = await answerOf(response);
      expect(body['token_type']).to.equal('DPoP');
      expect((await readAccessToken(server, body['access_token'])).claims['cnf']).to.have.property('jkt');
    });

    it('belongs to a grant, which is listed, lasts as long as the token, and ends it when it is revoked', async () => {
      const { body } = await present(server, client, await byId.assertion(user.id));
      const token = String(body['access_token']);
      const grantId = String((await readAccessToken(server, token)).claims['grant_id']);
      const listed = await server.repositories.grants.list({ userId: user.id, clientId: client.id }, { limit: 100 });
      const grant = listed.find(({ id }) => id === grantId);
      expect(grant).to.deep.include({ generation: 1, scope: ['api:read', 'api:write'], expiresAt: server.clock.now() + 900 });
      const introspect = async () => (await answerOf(introspection(token))).body['active'];
      expect(await introspect()).to.equal(true);
      await server.repositories.grants.revoke(grantId, 'operator', server.clock.now());
      expect(await introspect()).to.equal(false);
      expect(server.events.some(({ event, fields }) => event === 'grant_created' && fields['issuer'] === byId.identifier)).to.equal(true);
    });

    it('ends with its user', async () => {
      const somebody = await server.user();
      const { body } = await present(server, client, await byId.assertion(somebody.id));
      await server.repositories.users.disable(somebody.id, server.clock.now());
      expect((await answerOf(introspection(String(body['access_token'])))).body).to.deep.equal({ active: false });
    });
  });

  function introspection(token: string): Promise<Response> {
    const body = new URLSearchParams({ token, client_id: client.id, client_secret: client.secret });
    return fetch(`${server.url}/introspect`, { method: 'POST', body });
  }

  describe('the subject', () => {
    it('is the user that the operator linked it to, as long as the link is there', async () => {
      const { trustedIssuerStore } = server.repositories;
      const ask = async () => present(server, client, await byLink.assertion('pairwise|7'));
      expectError(await ask(), 'invalid_grant');
      await trustedIssuerStore.link({ issuer: byLink.identifier, subject: 'pairwise|7', userId: user.id }, server.clock.now());
      const { body } = await ask();
      expect((await readAccessToken(server, body['access_token'])).claims.sub).to.equal(user.id);
      await trustedIssuerStore.unlink(byLink.identifier, 'pairwise|7');
      expectError(await ask(), 'invalid_grant');
    });

    it('is a user name, or an email address that both sides have verified, where the policy says so', async () => {
      expect((await present(server, client, await byName.assertion(user.username))).status).to.equal(200);
      const reader = await server.user({ email: 'ada@example.com', profile: { email_verified: true } });
      const about = { email: 'ada@example.com', email_verified: true };
      const { body } = await present(server, client, await byEmail.assertion('x', about));
      expect((await readAccessToken(server, body['access_token'])).claims.sub).to.equal(reader.id);
      await server.user({ email: 'bob@example.com' });
      await server.user({ email: 'two@example.com', profile: { email_verified: true } });
      await server.user({ email: 'two@example.com', profile: { email_verified: true } });
      for (const wrong of [
        { ...about, email_verified: false },
        { ...about, email_verified: 'true' },
        { email: 'ada@example.com' },
        { ...about, email: 'Ada@example.com' },
        { ...about, email: 'bob@example.com' },
        { ...about, email: 'two@example.com' },
        { email_verified: true },
      ]) {
        expectError(await present(server, client, await byEmail.assertion('x', wrong)), 'invalid_grant');
      }
    });
  });

  describe('keys', () => {
    it('are fetched where the issuer is registered to publish them, and again when one is new', async () => {
      keyServer.publish([publishing.pair.jwk]);
      expect((await present(server, client, await publishing.assertion(user.id))).status).to.equal(200);
      expect((await present(server, client, await publishing.assertion(user.id))).status).to.equal(200);
      expect(keyServer.requests.filter((path) => path === '/keys')).to.have.length(1);
      const next = clientKeyPair('PS256');
      keyServer.publish([next.jwk]);
      server.clock.advance(31);
      const rotated = assertingIssuer(server, publishing.identifier, next);
      expect((await present(server, client, await rotated.assertion(user.id))).status).to.equal(200);
    });

    it('are found by the metadata of the issuer, which must be its own (OpenID Connect Discovery section 4.3)', async () => {
      let issuer = 'https://other.example';
      keyServer.answer((request, response) => {
        const document =
          request.url === '/.well-known/openid-configuration'
            ? { issuer, jwks_uri: `${keyServer.url}/found` }
            : { keys: [discovered.pair.jwk] };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
      });
      expectError(await present(server, client, await discovered.assertion(user.id)), 'invalid_grant');
      issuer = keyServer.url;
      server.clock.advance(301);
      expect((await present(server, client, await discovered.assertion(user.id))).status).to.equal(200);
      expect(keyServer.requests.at(-1)).to.equal('/found');
    });
  });

  describe('an assertion is refused', () => {
    it('without exp, expired, of the future, or with a longer life than its issuer may give it', async () => {
      const now = server.clock.now();
      for (const times of [
        { exp: undefined },
        { exp: now },
        { exp: 'soon' },
        { exp: now + 3600, iat: undefined },
        { exp: now + 311, iat: now },
        { iat: now + 61 },
        { nbf: now + 61 },
        { iat: now - 400, exp: now + 10 },
      ]) {
        expectError(await present(server, client, await byId.assertion(user.id, times)), 'invalid_grant');
      }
      expectError(await present(server, client, await brief.assertion(user.id, { exp: now + 41 })), 'invalid_grant');
      expect((await present(server, client, await brief.assertion(user.id, { exp: now + 30 }))).status).to.equal(200);
    });

    it('for any audience but the issuer of this server, alone; a list of that one is the same', async () => {
      for (const aud of [
        undefined,
        'https://other.example',
        `${server.issuer}/token`,
        `${server.issuer}/`,
        [server.issuer, 'https://other.example'],
        [],
        [[server.issuer]],
      ]) {
        const answer = await present(server, client, await byId.assertion(user.id, { aud }));
        expectError(answer, 'invalid_grant');
        expect(answer.body['error_description']).to.match(/aud of the assertion/);
      }
      expect((await present(server, client, await byId.assertion(user.id, { aud: [server.issuer] }))).status).to.equal(200);
    });

    it('without jti, without sub, or for another client', async () => {
      for (const wrong of [{ jti: undefined }, { jti: '' }, { jti: 7 }, { sub: undefined }, { sub: 7 }, { client_id: 'other' }]) {
        expectError(await present(server, client, await byId.assertion(user.id, wrong)), 'invalid_grant');
      }
      expect((await present(server, client, await byId.assertion(user.id, { client_id: client.id }))).status).to.equal(200);
    });

    it('of a client that the policy for its issuer does not name, and of one that is not registered for the grant type', async () => {
      const other = await server.client({ ...PRESENTER });
      expectError(await present(server, other, await byId.assertion(user.id)), 'invalid_grant');
      const unregistered = await server.client({ token_endpoint_auth_method: 'client_secret_post' });
      expectError(await present(server, unregistered, await byId.assertion(user.id)), 'unauthorized_client');
      const publicClient = server.client({ grant_types: [JWT_BEARER], redirect_uris: [], token_endpoint_auth_method: 'none' });
      const problem = await publicClient.catch((error: unknown) => error);
      expect(problem)
        .to.be.an('error')
        .with.property('message')
        .that.matches(/needs a client that authenticates/);
    });

    it('when it is missing: invalid_request', async () => {
      expectError(await present(server, client, ''), 'invalid_request');
    });
  });

  describe('the policy', () => {
    it('bounds scope and resources, and names a resource that is allowed where the request names none', async () => {
      const { body } = await present(server, client, await narrow.assertion(user.id));
      expect(body).to.include({ resource: PAY });
      expect((await readAccessToken(server, body['access_token'])).claims).to.include({ aud: PAY, scope: 'api:read' });
      expectError(await present(server, client, await narrow.assertion(user.id), { scope: 'api:write' }), 'invalid_scope');
      expectError(await present(server, client, await narrow.assertion(user.id), { scope: 'other' }), 'invalid_scope');
      expectError(await present(server, client, await narrow.assertion(user.id), { resource: API }), 'invalid_target');
      expectError(
        await present(server, client, await narrow.assertion(user.id), { authorization_details: '[{"type":"x"}]' }),
        'invalid_authorization_details',
      );
    });

    it('is asked before the assertion is used up', async () => {
      const assertion = await narrow.assertion(user.id);
      expectError(await present(server, client, assertion, { scope: 'api:write' }), 'invalid_scope');
      expectError(await present(server, client, assertion, { resource: API }), 'invalid_target');
      expect((await present(server, client, assertion)).status).to.equal(200);
      expectError(await present(server, client, assertion), 'invalid_grant');
    });
  });
});
