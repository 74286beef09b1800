import { expect } from 'chai';
import { sqliteDatabases } from '../support/databases.ts';
import type { TestServer } from '../support/test-server.ts';
import { basic, startTestServer } from '../support/test-server.ts';

const ORIGIN = 'https://app.example';

function corsHeaders(headers: Headers): readonly string[] {
  return [...headers.keys()].filter((name) => name.startsWith('access-control-'));
}

describe('cross-origin requests (Fetch standard, CORS protocol)', () => {
  const database = sqliteDatabases();
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create());
  });
  after(async () => {
    await server.close();
    await database.dispose();
  });

  function preflight(path: string, method: string): Promise<Response> {
    return fetch(server.issuer + path, {
      method: 'OPTIONS',
      headers: { origin: ORIGIN, 'access-control-request-method': method, 'access-control-request-headers': 'authorization,content-type' },
    });
  }

  for (const [path, method] of [
    ['/token', 'POST'],
    ['/revoke', 'POST'],
    ['/jwks', 'GET'],
    ['/.well-known/oauth-authorization-server', 'GET'],
    ['/.well-known/openid-configuration', 'GET'],
  ] as const) {
    it(`lets scripts of any origin ask ${path} with ${method}, and never with cookies`, async () => {
      const { status, headers } = await preflight(path, method);
      expect(status).to.equal(204);
      expect(headers.get('access-control-allow-origin')).to.equal('*');
      expect(headers.get('access-control-allow-methods')).to.equal(method);
      expect(headers.get('access-control-allow-headers')?.split(',')).to.include.members(['authorization', 'content-type']);
      expect(headers.get('access-control-allow-credentials')).to.equal(null);
    });
  }

  it('lets a script read tokens and errors alike', async () => {
    const client = await server.client();
    for (const [authorization, status] of [
      [basic(client), 200],
      [basic({ id: client.id, secret: 'wrong' }), 401],
    ] as const) {
      const answer = await fetch(`${server.issuer}/token`, {
        method: 'POST',
        headers: { origin: ORIGIN, authorization },
        body: new URLSearchParams({ grant_type: 'client_credentials' }),
      });
      await answer.text();
      expect(answer.status).to.equal(status);
      expect(answer.headers.get('access-control-allow-origin')).to.equal('*');
      expect(answer.headers.get('access-control-expose-headers')?.toLowerCase()).to.contain('www-authenticate');
      expect(answer.headers.get('access-control-allow-credentials')).to.equal(null);
    }
  });

  it('lets a script read the answer to a wrong content type or method as well', async () => {
    const wrongType = await fetch(`${server.issuer}/token`, {
      method: 'POST',
      headers: { origin: ORIGIN, 'content-type': 'text/plain' },
      body: 'x',
    });
    await wrongType.text();
    expect({ status: wrongType.status, allowed: wrongType.headers.get('access-control-allow-origin') }).to.deep.equal({
      status: 415,
      allowed: '*',
    });
  });

  for (const path of [
    '/authorize',
    '/login',
    '/consent',
    '/logout',
    '/authorize/resume',
    '/introspect',
    '/health/live',
    '/health/ready',
    '/nothing',
  ]) {
    it(`does not let any script ask ${path}`, async () => {
      for (const response of [
        await preflight(path, 'POST'),
        await fetch(server.issuer + path, { headers: { origin: ORIGIN }, redirect: 'manual' }),
        await fetch(server.issuer + path, { method: 'POST', body: new URLSearchParams(), headers: { origin: ORIGIN }, redirect: 'manual' }),
      ]) {
        await response.text();
        expect(corsHeaders(response.headers)).to.deep.equal([]);
      }
    });
  }
});
