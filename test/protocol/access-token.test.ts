import { expect } from 'chai';
import { answerOf, readAccessToken } from '../support/answers.ts';
import { logIn, refresh } from '../support/browser.ts';
import { onEachDatabase, sqliteDatabases } from '../support/databases.ts';
import type { TestClient, TestServer } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

const SERVICE = { grant_types: ['client_credentials'], redirect_uris: [] };

async function tokenOf(server: TestServer, client: TestClient): Promise<Readonly<Record<string, unknown>>> {
  return (await answerOf(server.post('/token', { grant_type: 'client_credentials' }, client))).body;
}

onEachDatabase('access tokens (RFC 9068)', (database) => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer(await database.create());
  });
  after(() => server.close());

  it('of a client for itself have exactly these claims', async () => {
    const client = await server.client({ ...SERVICE, allowed_resources: ['https://api.example/'] });
    const { header, claims } = await readAccessToken(server, (await tokenOf(server, client))['access_token']);
    const { jti, status, ...others } = claims;
    const now = server.clock.now();
    expect(others).to.deep.equal({
      iss: server.issuer,
      sub: client.id,
      aud: 'https://api.example/',
      exp: now + 900,
      iat: now,
      client_id: client.id,
      scope: 'api:read api:write',
    });
    expect(jti).to.match(/^[\w-]{22,}$/);
    expect(status).to.have.all.keys('status_list');
    expect(header).to.have.all.keys('typ', 'alg', 'kid');
    expect(header).to.include({ typ: 'at+jwt', alg: 'ES256' });
  });

  it('of a user say when the login was, which may be long ago', async () => {
    const client = await server.client({ skip_consent: true });
    const user = await server.user();
    const loginAt = server.clock.now();
    const { access_token, refresh_token } = await logIn(server, client, user);
    server.clock.advance(86_400);
    const { body } = await refresh(server, client, refresh_token, { scope: 'api:read' });
    const now = server.clock.now();
    for (const [token, issuedAt, scope] of [
      [access_token, loginAt, 'openid profile api:read api:write'],
      [body.access_token, now, 'api:read'],
    ] as const) {
      const { jti: _, grant_id: grantId, status: _status, ...others } = claimsOf(token);
      expect(others).to.deep.equal({
        iss: server.issuer,
        sub: user.id,
        aud: server.issuer,
        exp: issuedAt + 900,
        iat: issuedAt,
        client_id: client.id,
        scope,
        auth_time: loginAt,
        acr: 'urn:keyturn:acr:1fa',
      });
      const [grant] = await server.repositories.grants.list({ clientId: client.id }, { limit: 2 });
      expect(grantId).to.equal(grant?.id);
    }
  });

  it('have another jti each, also within one second', async () => {
    const client = await server.client(SERVICE);
    const bodies = await Promise.all(Array.from({ length: 50 }, () => tokenOf(server, client)));
    expect(new Set(bodies.map((body) => claimsOf(String(body['access_token']))['jti'])).size).to.equal(50);
  });

  it('live as long as the client is registered with', async () => {
    const body = await tokenOf(server, await server.client({ ...SERVICE, access_token_ttl: 7200 }));
    expect(body['expires_in']).to.equal(7200);
    expect((await readAccessToken(server, body['access_token'])).claims.exp).to.equal(server.clock.now() + 7200);
  });

  it('are signed with RS256 for a client that is registered for it', async () => {
    const body = await tokenOf(server, await server.client({ ...SERVICE, access_token_signed_response_alg: 'RS256' }));
    expect((await readAccessToken(server, body['access_token'])).header.alg).to.equal('RS256');
  });

  describe("a deployment's own claims", () => {
    it('come from the client, and from the user, whose word counts where both have one', async () => {
      const claims = { tenant: 'acme', roles: ['reader'], nested: { deep: [1, null, '가'] } };
      const client = await server.client({ skip_consent: true, access_token_claims: claims });
      expect((await readAccessToken(server, (await tokenOf(server, client))['access_token'])).claims).to.deep.include(claims);
      const user = await server.user();
      await server.repositories.users.setAccessTokenClaims(user.id, { roles: ['owner'], department: 7 }, server.clock.now());
      const { access_token, refresh_token } = await logIn(server, client, user);
      expect(claimsOf(access_token)).to.deep.include({ ...claims, roles: ['owner'], department: 7 });
      // As they are now, and not as they were at login.
      await server.repositories.users.setAccessTokenClaims(user.id, { department: 8 }, server.clock.now());
      const { body } = await refresh(server, client, refresh_token);
      expect(claimsOf(body.access_token)).to.deep.include({ ...claims, department: 8 });
    });

    it("never stand in for one of the protocol's, whatever is in the database", async () => {
      const client = await server.client({ skip_consent: true });
      const user = await server.user();
      const now = server.clock.now();
      const forged = {
        iss: 'https://evil.example',
        sub: 'admin',
        aud: 'x',
        exp: now + 1e9,
        iat: 0,
        jti: 'x',
        client_id: 'x',
        scope: 'admin',
        auth_time: 1,
      };
      await server.repositories.users.setAccessTokenClaims(user.id, forged, now);
      const { access_token } = await logIn(server, client, user);
      expect(claimsOf(access_token)).to.include({
        iss: server.issuer,
        sub: user.id,
        aud: server.issuer,
        exp: now + 900,
        iat: now,
        client_id: client.id,
      });
      expect(claimsOf(access_token)).to.include({ scope: 'openid profile api:read api:write', auth_time: now });
    });
  });
});

describe('access tokens (RFC 9068), by the settings of the server', () => {
  const database = sqliteDatabases();
  after(() => database.dispose());

  async function withSettings(settings: Readonly<Record<string, string>>, look: (server: TestServer) => Promise<void>): Promise<void> {
    const server = await startTestServer(await database.create(), settings);
    try {
      await look(server);
    } finally {
      await server.close();
    }
  }

  it('have nbf where ACCESS_TOKEN_NBF is on', () =>
    withSettings({ ACCESS_TOKEN_NBF: 'on' }, async (server) => {
      const body = await tokenOf(server, await server.client(SERVICE));
      expect((await readAccessToken(server, body['access_token'])).claims.nbf).to.equal(server.clock.now());
    }));

  it('live for ACCESS_TOKEN_TTL', () =>
    withSettings({ ACCESS_TOKEN_TTL: '30m' }, async (server) => {
      expect((await tokenOf(server, await server.client(SERVICE)))['expires_in']).to.equal(1800);
    }));

  it('are signed with the first of SIGNING_ALGS, and with any of them for a client that asks for it', () =>
    withSettings({ SIGNING_ALGS: 'EdDSA,PS256' }, async (server) => {
      for (const [metadata, alg] of [
        [{}, 'EdDSA'],
        [{ access_token_signed_response_alg: 'PS256' }, 'PS256'],
      ] as const) {
        const body = await tokenOf(server, await server.client({ ...SERVICE, ...metadata }));
        // RFC 9864 names the curve; JOSE libraries know both names.
        expect((await readAccessToken(server, body['access_token'])).header.alg).to.be.oneOf([alg, alg === 'EdDSA' ? 'Ed25519' : alg]);
      }
    }));
});

/** What a token says, unverified. */
function claimsOf(token: string): Readonly<Record<string, unknown>> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
}
