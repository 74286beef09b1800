import { createServer } from 'node:net';
import { expect } from 'chai';
import { answerOf, readAccessToken } from '../support/answers.ts';
import { authorize, logIn, refresh } from '../support/browser.ts';
import { sqliteDatabases } from '../support/databases.ts';
import type { TestServer } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

describe('an issuer with a path (RFC 8414 section 3.1)', () => {
  const database = sqliteDatabases();
  let server: TestServer;
  let origin: string;
  before(async () => {
    const port = await freePort();
    origin = `http://localhost:${port}`;
    server = await startTestServer(await database.create(), { PORT: String(port), ISSUER: `${origin}/realms/main` });
  });
  after(async () => {
    await server.close();
    await database.dispose();
  });

  it('has its metadata at all four addresses that clients try', async () => {
    const bodies = await Promise.all(
      [
        '/.well-known/oauth-authorization-server/realms/main',
        '/.well-known/openid-configuration/realms/main',
        '/realms/main/.well-known/oauth-authorization-server',
        '/realms/main/.well-known/openid-configuration',
      ].map(async (path) => (await answerOf(fetch(origin + path))).body),
    );
    for (const body of bodies) {
      expect(body).to.deep.equal(bodies[0]);
    }
    expect(bodies[0]).to.include({
      issuer: `${origin}/realms/main`,
      token_endpoint: `${origin}/realms/main/token`,
      authorization_endpoint: `${origin}/realms/main/authorize`,
      jwks_uri: `${origin}/realms/main/jwks`,
    });
  });

  it('has nothing outside its path but that', async () => {
    for (const path of [
      '/.well-known/oauth-authorization-server',
      '/.well-known/openid-configuration',
      '/.well-known/oauth-authorization-server/realms',
      '/.well-known/oauth-authorization-server/realms/main/',
      '/jwks',
      '/authorize',
      '/login',
      '/realms/jwks',
    ]) {
      const { status } = await answerOf(fetch(origin + path));
      expect({ path, status }).to.deep.equal({ path, status: 404 });
    }
  });

  it('takes a user through the pages to tokens that name it', async () => {
    const client = await server.client();
    const user = await server.user();
    const { arrival } = await authorize(server, client, user);
    expect(arrival.url.searchParams.get('iss')).to.equal(`${origin}/realms/main`);
    const tokens = await logIn(server, client, user);
    expect((await readAccessToken(server, tokens.access_token)).claims).to.include({ iss: server.issuer, aud: server.issuer });
    const { status, body } = await refresh(server, client, tokens.refresh_token);
    expect(status).to.equal(200);
    expect((await answerOf(server.post('/introspect', { token: body.access_token }, client))).body).to.include({ active: true });
    expect((await answerOf(server.post('/revoke', { token: body.refresh_token }, client))).body).to.deep.equal({});
    expect((await answerOf(server.post('/introspect', { token: body.access_token }, client))).body).to.deep.equal({ active: false });
  });

  it('goes through the pages when the request is posted, too', async () => {
    const client = await server.client();
    const response = await server.post('/authorize', { client_id: client.id, response_type: 'code' });
    expect(response.status).to.equal(303);
    expect(response.headers.get('location')).to.match(/^\/realms\/main\/authorize\/resume\?/);
  });
});

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, 'localhost');
  await new Promise((resolve) => probe.once('listening', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') {
    throw new Error('a listening TCP server has a port');
  }
  return address.port;
}
