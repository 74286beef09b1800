import { expect } from 'chai';
import { expectError } from '../support/answers.ts';
import { logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { PUBLIC_CLIENT, type RegisteredClient, register, registeredBy, send, sentBack } from '../support/registration.ts';
import { REDIRECT_URI, startTestServer, type TestServer } from '../support/test-server.ts';

onEachDatabase('client configuration endpoint (RFC 7592)', (database) => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create(), { FEATURES: 'dynamic-registration', REGISTRATION: 'open' });
  });
  after(() => server.close());

  async function registered(metadata: Readonly<Record<string, unknown>> = PUBLIC_CLIENT): Promise<RegisteredClient> {
    return registeredBy(await register(server, metadata));
  }

  const stored = async ({ id }: RegisteredClient) => (await server.repositories.clientStore.find(id))?.metadata;

  describe('reading (section 2.1)', () => {
    it('tells what is registered, with the next token, and nothing that is secret', async () => {
      const client = await registered({ redirect_uris: [REDIRECT_URI] });
      const { status, headers, body } = await send(server, 'GET', client.uri, undefined, client.token);
      expect(status).to.equal(200);
      expect(headers.get('cache-control')).to.equal('no-store');
      const { registration_access_token: next, ...told } = body;
      const { registration_access_token: first, client_secret: _, client_secret_expires_at: __, ...before } = client.body;
      expect(told).to.deep.equal(before);
      expect(next).to.be.a('string').that.does.not.equal(first);
    });

    it('refuses alike: no client, another client, a token that is none; and asks for one where there is none', async () => {
      const [one, other] = [await registered(), await registered()];
      const refusals = [
        await send(server, 'GET', other.uri, undefined, one.token),
        await send(server, 'GET', `${server.issuer}/register/client-none`, undefined, one.token),
        await send(server, 'GET', one.uri, undefined, `${one.token.slice(0, -1)}${one.token.endsWith('A') ? 'B' : 'A'}`),
        await send(server, 'GET', one.uri, undefined, 'x'),
      ];
      for (const refusal of refusals) {
        expectError(refusal, 'invalid_token', 401);
        expect(refusal.body).to.deep.equal(refusals[0]?.body);
        expect(refusal.headers.get('www-authenticate')).to.equal(refusals[0]?.headers.get('www-authenticate'));
      }
      const without = await send(server, 'GET', one.uri);
      expect(without.status).to.equal(401);
      expect(without.headers.get('www-authenticate')).to.equal('Bearer realm="registration"');
    });

    it('is not for clients that the operator registered', async () => {
      const { id } = await server.client();
      const { token } = await registered();
      expectError(await send(server, 'GET', `${server.issuer}/register/${id}`, undefined, token), 'invalid_token', 401);
    });
  });

  describe('registration access tokens (section 5)', () => {
    it('go on being good while their successor was not used: an answer may be lost', async () => {
      const client = await registered();
      const first = registeredBy(await send(server, 'GET', client.uri, undefined, client.token));
      const again = registeredBy(await send(server, 'GET', client.uri, undefined, client.token));
      expect(again.token).to.equal(first.token);
    });

    it('end when their successor is used, and an old one is told of', async () => {
      const client = await registered();
      const second = registeredBy(await send(server, 'GET', client.uri, undefined, client.token));
      const third = registeredBy(await send(server, 'GET', client.uri, undefined, second.token));
      server.events.length = 0;
      expectError(await send(server, 'GET', client.uri, undefined, client.token), 'invalid_token', 401);
      expect(server.events.at(-1)).to.deep.include({ event: 'registration_access_token_refused' });
      expect((await send(server, 'GET', client.uri, undefined, third.token)).status).to.equal(200);
      expectError(await send(server, 'DELETE', client.uri, undefined, second.token), 'invalid_token', 401);
      expect(await stored(client)).not.to.equal(undefined);
    });

    it('are no access tokens elsewhere, and access tokens are none here', async () => {
      const client = await registered();
      const tokens = await logIn(server, { id: client.id, secret: '' }, await server.user(), { scope: 'openid' });
      expectError(await send(server, 'GET', client.uri, undefined, tokens.access_token), 'invalid_token', 401);
      expect((await server.get('/userinfo', { authorization: `Bearer ${client.token}` })).status).to.equal(401);
    });
  });

  describe('changing (section 2.2)', () => {
    it('replaces all of the metadata: what is left out has its default again', async () => {
      const client = await registered({ ...PUBLIC_CLIENT, client_uri: 'https://app.example', contacts: ['ops@app.example'] });
      const { client_name: _, contacts: __, ...rest } = sentBack(client.body);
      const changed = { ...rest, client_uri: 'https://new.example' };
      const { status, body } = await send(server, 'PUT', client.uri, changed, client.token);
      expect(status).to.equal(200);
      expect(body).to.include({ client_id: client.id, client_uri: 'https://new.example' });
      expect(body).not.to.have.any.keys('client_name', 'contacts');
      expect(await stored(client))
        .to.include({ client_uri: 'https://new.example' })
        .and.not.to.have.any.keys('client_name', 'contacts');
    });

    it("takes what it answered back as it is, without the four members that are the server's", async () => {
      const client = await registered({ redirect_uris: [REDIRECT_URI], client_name: 'Whole' });
      const before = await stored(client);
      const { status, body } = await send(server, 'PUT', client.uri, sentBack(client.body), client.token);
      expect(status).to.equal(200);
      expect(await stored(client)).to.deep.equal(before);
      // The secret goes on.
      expect(body).not.to.have.property('client_secret');
      const credentials = { id: client.id, secret: String(client.body.client_secret) };
      expect((await logIn(server, credentials, await server.user())).access_token).to.be.a('string');
    });

    it('counts at once: the next request is held against the new metadata', async () => {
      const client = await registered();
      await server.get(`/authorize?client_id=${client.id}`);
      const metadata = { ...sentBack(client.body), redirect_uris: ['https://app.example/new'] };
      expect((await send(server, 'PUT', client.uri, metadata, client.token)).status).to.equal(200);
      const page = await server.get(
        `/authorize?client_id=${client.id}&response_type=code&redirect_uri=${encodeURIComponent(REDIRECT_URI)}`,
      );
      expect(page.status).to.equal(400);
    });

    for (const [what, change] of [
      ['no client_id', { client_id: undefined }],
      ["another's client_id", { client_id: 'client-other' }],
      ['a registration_access_token', { registration_access_token: 'x' }],
      ['a registration_client_uri', { registration_client_uri: 'https://login.example/register/x' }],
      ['a client_id_issued_at', { client_id_issued_at: 1 }],
      ['a client_secret_expires_at', { client_secret_expires_at: 0 }],
      ['a client_secret of its own choice', { client_secret: 'abcdefghijklmnopqrstuvwxyz0123456789abcdef' }],
      ['a client_secret that is no text', { client_secret: { toString: 1 } }],
    ] as const) {
      it(`refuses ${what}, and changes nothing`, async () => {
        const client = await registered({ redirect_uris: [REDIRECT_URI] });
        const before = await stored(client);
        const metadata = { ...sentBack(client.body), client_name: 'Changed', ...change };
        expectError(await send(server, 'PUT', client.uri, metadata, client.token), 'invalid_client_metadata');
        expect(await stored(client)).to.deep.equal(before);
      });
    }

    it('refuses what cannot be registered, and changes nothing', async () => {
      const client = await registered();
      const before = await stored(client);
      const metadata = { ...sentBack(client.body), redirect_uris: ['javascript:alert(1)'] };
      expectError(await send(server, 'PUT', client.uri, metadata, client.token), 'invalid_redirect_uri');
      expect(await stored(client)).to.deep.equal(before);
    });
  });

  describe('deleting (section 2.3)', () => {
    it('answers 204, and ends the client, its tokens and the registration', async () => {
      const client = await registered();
      const credentials = { id: client.id, secret: '' };
      const tokens = await logIn(server, credentials, await server.user(), { scope: 'openid' });
      expect((await send(server, 'DELETE', client.uri, undefined, client.token)).status).to.equal(204);
      expect(await stored(client)).to.equal(undefined);
      expect((await refresh(server, credentials, tokens.refresh_token)).status).to.equal(401);
      expect((await server.get('/userinfo', { authorization: `Bearer ${tokens.access_token}` })).status).to.equal(401);
      expectError(await send(server, 'GET', client.uri, undefined, client.token), 'invalid_token', 401);
    });
  });

  it('answers other methods with 405', async () => {
    const client = await registered();
    const { status, headers } = await send(server, 'PATCH', client.uri, {}, client.token);
    expect(status).to.equal(405);
    expect(headers.get('allow')).to.include('PUT');
  });
});
