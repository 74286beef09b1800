import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'chai';
import { openDatabase } from '../../src/storage/open-database.ts';
import { answerOf, expectError, postForm, readAccessToken } from '../support/answers.ts';
import { onEachDatabase, sqliteDatabases } from '../support/databases.ts';
import type { TestClient, TestServer } from '../support/test-server.ts';
import { basic, startTestServer } from '../support/test-server.ts';

const SERVICE = { grant_types: ['client_credentials'], redirect_uris: [] };
const API = 'https://api.example/';
const FILES = 'https://files.example/v1';

describe('client_credentials grant (RFC 6749 section 4.4)', () => {
  const database = sqliteDatabases();
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create());
  });
  after(async () => {
    await server.close();
    await database.dispose();
  });

  const ask = (client: TestClient, more: Readonly<Record<string, string>> = {}) =>
    answerOf(server.post('/token', { grant_type: 'client_credentials', ...more }, client));

  it('gives an access token and nothing that belongs to a user', async () => {
    const client = await server.client(SERVICE);
    const { status, body } = await ask(client);
    expect(status).to.equal(200);
    expect(body).to.have.all.keys('access_token', 'token_type', 'expires_in', 'scope');
    expect(body).to.include({ token_type: 'Bearer', expires_in: 900, scope: 'api:read api:write' });
    const { claims } = await readAccessToken(server, body['access_token']);
    expect(claims).to.include({ sub: client.id, client_id: client.id });
    expect(claims).not.to.have.any.keys('auth_time', 'grant_id', 'acr', 'amr');
  });

  it('stores nothing', async () => {
    const client = await server.client(SERVICE);
    await ask(client);
    expect(await server.repositories.grants.list({ clientId: client.id }, { limit: 10 })).to.deep.equal([]);
  });

  describe('scope (section 3.3)', () => {
    it('is what is asked for, each value once', async () => {
      const { body } = await ask(await server.client(SERVICE), { scope: 'api:write api:read  api:write' });
      expect(body['scope']).to.equal('api:write api:read');
      expect((await readAccessToken(server, body['access_token'])).claims['scope']).to.equal('api:write api:read');
    });

    for (const scope of [
      'admin',
      'api:read admin',
      'API:READ',
      'api:rea',
      'api:read,api:write',
      'api:read\u00a0api:write',
      'api:read\tapi:write',
      '"',
    ]) {
      it(`is never more than the client's: ${JSON.stringify(scope)}`, async () => {
        expectError(await ask(await server.client(SERVICE), { scope }), 'invalid_scope');
      });
    }

    it('of a client that is registered for none is none, and has no claim', async () => {
      const client = await server.client({ ...SERVICE, scope: '' });
      const { body } = await ask(client);
      expect(body).not.to.have.property('scope');
      expect((await readAccessToken(server, body['access_token'])).claims).not.to.have.property('scope');
      expectError(await ask(client, { scope: 'api:read' }), 'invalid_scope');
    });
  });

  describe('resource (RFC 8707)', () => {
    it('is the audience; the issuer is, for a client without resources', async () => {
      const client = await server.client({ ...SERVICE, allowed_resources: [API, FILES] });
      const audience = async (form: string) => {
        const { body } = await postForm(server, '/token', `grant_type=client_credentials${form}`, { authorization: basic(client) });
        return (await readAccessToken(server, body['access_token'])).claims.aud;
      };
      expect(await audience('')).to.equal(API);
      expect(await audience(`&resource=${FILES}`)).to.equal(FILES);
      expect(await audience(`&resource=${FILES}&resource=${FILES}`)).to.equal(FILES);
      expect(await audience(`&resource=${API}&resource=${FILES}`)).to.deep.equal([API, FILES]);
      const { body } = await ask(await server.client(SERVICE));
      expect((await readAccessToken(server, body['access_token'])).claims.aud).to.equal(server.issuer);
    });

    for (const resource of [
      'https://other.example/',
      'https://api.example',
      'https://api.example/x',
      'HTTPS://api.example/',
      'api',
      `${API}#x`,
    ]) {
      it(`must be one of the client's, character by character: ${resource}`, async () => {
        const client = await server.client({ ...SERVICE, allowed_resources: [API] });
        expectError(await ask(client, { resource }), 'invalid_target');
      });
    }
  });

  it('is not for a public client, whatever stands in the database', async () => {
    const { id } = await server.client(SERVICE);
    const record = await server.repositories.clientStore.find(id);
    if (record === undefined) {
      throw new Error('the client was not stored');
    }
    const changed = { ...record, metadata: { ...record.metadata, token_endpoint_auth_method: 'none' as const } };
    expect(await server.repositories.clientStore.replace(changed)).to.equal(true);
    expectError(await ask({ id, secret: '' }), 'unauthorized_client');
  });
});

onEachDatabase('client_credentials grant (RFC 6749 section 4.4)', (database) => {
  it('asks the database for nothing once the client is in memory', async () => {
    const location = await database.create();
    const server = await startTestServer(location);
    const tables = await openDatabase(location);
    try {
      const client = await server.client(SERVICE);
      // Past the moment in which PostgreSQL tells the server that clients changed, and those in memory are dropped.
      await pause(300);
      expect((await server.post('/token', { grant_type: 'client_credentials' }, client)).status).to.equal(200);
      await tables.rows('ALTER TABLE clients RENAME TO clients_away', []);
      await tables.rows('ALTER TABLE grants RENAME TO grants_away', []);
      expect((await server.post('/token', { grant_type: 'client_credentials' }, client)).status).to.equal(200);
      expect((await server.post('/token', { grant_type: 'client_credentials' }, { id: 'unknown', secret: 'x' })).status).not.to.equal(401);
    } finally {
      await tables.close();
      await server.close();
    }
  });
});
