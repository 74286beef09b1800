import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { readAccessToken, readIdToken } from '../support/answers.ts';
import type { Browser, TokenBody } from '../support/browser.ts';
import { authorize, browser, logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import { ALGORITHMS, EVERY_ALGORITHM } from '../support/interop.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

const HASHES: Readonly<Record<string, 'sha384' | 'sha512'>> = { ES384: 'sha384', ES512: 'sha512', Ed25519: 'sha512', EdDSA: 'sha512' };

onEachDatabase('ID token (OpenID Connect Core section 2)', (database) => {
  let server: TestServer;
  let user: TestUser;
  let tab: Browser;
  before(async () => {
    server = await startTestServer(await database.create(), { ...EVERY_ALGORITHM, ID_TOKEN_TTL: '5m' });
    user = await server.user();
    tab = browser(server);
  });
  after(() => server.close());

  async function loggedIn(
    metadata: Readonly<Record<string, unknown>> = {},
    parameters: Readonly<Record<string, string>> = {},
    person = user,
    at = tab,
  ): Promise<{ readonly client: TestClient; readonly tokens: TokenBody }> {
    const client = await server.client({ skip_consent: true, ...metadata });
    return { client, tokens: await logIn(server, client, person, { scope: 'openid', ...parameters }, at) };
  }

  it('says who logged in where, when and how, and nothing else (oidcc-server)', async () => {
    const own = browser(server);
    const loginAt = server.clock.now();
    const { client, tokens } = await loggedIn({}, { nonce: 'n-0S6_WzA2Mj', scope: 'openid profile api:read' }, user, own);
    const { claims } = await readIdToken(server, client, tokens.id_token);
    const [grant] = await server.repositories.grants.list({ clientId: client.id }, { limit: 1 });
    expect(claims).to.deep.equal({
      iss: server.issuer,
      sub: user.id,
      aud: client.id,
      exp: loginAt + 300,
      iat: loginAt,
      auth_time: loginAt,
      nonce: 'n-0S6_WzA2Mj',
      acr: 'urn:keyturn:acr:1fa',
      amr: ['pwd'],
      at_hash: leftHalf('sha256', tokens.access_token),
      sid: grant?.authentication.sessionId,
    });
    expect((await readAccessToken(server, tokens.access_token)).claims.sub).to.equal(user.id);
  });

  it('is not given where the scope has no openid, whatever else is asked for', async () => {
    const { client, tokens } = await loggedIn({}, { scope: 'profile api:read', nonce: 'n', claims: '{"id_token":{"name":null}}' });
    expect(tokens).to.have.property('access_token').and.not.to.have.property('id_token');
    const [grant] = await server.repositories.grants.list({ clientId: client.id }, { limit: 1 });
    expect(grant?.openid).to.equal(undefined);
    expect((await refresh(server, client, tokens.refresh_token)).body).not.to.have.property('id_token');
  });

  it('has no nonce where the request had none (oidcc-ensure-request-without-nonce-succeeds-for-code-flow)', async () => {
    const { client, tokens } = await loggedIn();
    expect((await readIdToken(server, client, tokens.id_token)).claims).not.to.have.property('nonce');
  });

  it('echoes a nonce exactly, also a long one (fapi2 ensure-authorization-request-with-long-nonce)', async () => {
    for (const nonce of ['x'.repeat(64), '가 "\\+/%20&=é', 'y'.repeat(384)]) {
      const { client, tokens } = await loggedIn({}, { nonce });
      expect((await readIdToken(server, client, tokens.id_token)).claims['nonce']).to.equal(nonce);
    }
  });

  it('is signed with RS256 unless the client is registered for another (oidcc-idtoken-signature, oidcc-idtoken-rs256)', async () => {
    for (const alg of [undefined, ...ALGORITHMS]) {
      const { client, tokens } = await loggedIn(alg === undefined ? {} : { id_token_signed_response_alg: alg });
      const { header, claims } = await readIdToken(server, client, tokens.id_token);
      expect(Object.keys(header)).to.have.members(['alg', 'typ', 'kid']);
      expect(header.alg).to.equal(alg ?? 'RS256');
      // Section 3.1.3.6; Ed25519 has SHA-512 inside (RFC 8032 section 5.1), ML-DSA SHAKE256 (FIPS 204).
      expect(claims['at_hash'], alg).to.equal(
        leftHalf(alg?.startsWith('ML-DSA') === true ? 'shake256' : (HASHES[alg ?? 'RS256'] ?? 'sha256'), tokens.access_token),
      );
    }
  });

  it('is never unsigned: alg none cannot be registered (oidcc-idtoken-unsigned)', async () => {
    for (const member of ['id_token_signed_response_alg', 'userinfo_signed_response_alg']) {
      const refusal: unknown = await server.client({ [member]: 'none' }).catch((error: unknown) => error);
      expect(refusal)
        .to.have.property('message')
        .that.matches(new RegExp(`^${member}: must be one of ES256`));
    }
  });

  it('lives as long as the client is registered with', async () => {
    const { client, tokens } = await loggedIn({ id_token_ttl: 77 });
    expect((await readIdToken(server, client, tokens.id_token)).claims.exp).to.equal(server.clock.now() + 77);
  });

  it('says the time of the login, and not that of the request (oidcc-prompt-none-logged-in)', async () => {
    const own = browser(server);
    const loginAt = server.clock.now();
    const first = await loggedIn({}, {}, user, own);
    server.clock.advance(100);
    const second = await loggedIn({}, { prompt: 'none' }, user, own);
    for (const [{ client, tokens }, issuedAt] of [
      [first, loginAt],
      [second, loginAt + 100],
    ] as const) {
      const { claims } = await readIdToken(server, client, tokens.id_token);
      expect(claims).to.include({ sub: user.id, auth_time: loginAt, iat: issuedAt });
    }
    server.clock.advance(1);
    const third = await loggedIn({}, { prompt: 'login' }, user, own);
    const { claims } = await readIdToken(server, third.client, third.tokens.id_token);
    // oidcc-prompt-login: a second login, and a later auth_time.
    expect(claims['auth_time']).to.equal(loginAt + 101);
  });

  describe('of a refresh (section 12.2, oidcc-refresh-token)', () => {
    it('is about the same login, without its nonce', async () => {
      const { client, tokens } = await loggedIn({}, { nonce: 'once', scope: 'openid api:read' });
      const before = (await readIdToken(server, client, tokens.id_token)).claims;
      server.clock.advance(120);
      const { body } = await refresh(server, client, tokens.refresh_token);
      const { claims, header } = await readIdToken(server, client, body.id_token);
      const { nonce: _, ...lasting } = before;
      expect(claims).to.deep.equal({
        ...lasting,
        iat: Number(before.iat) + 120,
        exp: Number(before.exp) + 120,
        at_hash: leftHalf('sha256', body.access_token),
      });
      expect(header.alg).to.equal('RS256');
    });

    it('is not given for a scope that was narrowed to one without openid', async () => {
      const { client, tokens } = await loggedIn({}, { scope: 'openid api:read' });
      expect((await refresh(server, client, tokens.refresh_token, { scope: 'api:read' })).body).not.to.have.property('id_token');
    });
  });

  it('comes with a refresh token whether or not offline_access is asked for (section 11, oidcc-refresh-token)', async () => {
    for (const scope of ['openid', 'openid offline_access']) {
      const { client, tokens } = await loggedIn({ scope: 'openid offline_access' }, { scope });
      expect(tokens.refresh_token).to.be.a('string');
      expect((await refresh(server, client, tokens.refresh_token)).body.scope).to.equal(scope);
    }
  });

  it('tells of the login in which the code was made, when the browser has another user by the time it is redeemed', async () => {
    const own = browser(server);
    const client = await server.client({ skip_consent: true });
    const other = await server.user();
    const { code, verifier } = await authorize(server, client, user, { scope: 'openid' }, own);
    await authorize(server, client, other, { scope: 'openid', prompt: 'login' }, own);
    const redirect_uri = 'https://app.example/callback';
    const response = await server.post('/token', { grant_type: 'authorization_code', code, code_verifier: verifier, redirect_uri }, client);
    const { id_token } = (await response.json()) as TokenBody;
    expect((await readIdToken(server, client, id_token)).claims.sub).to.equal(user.id);
  });
});

function leftHalf(algorithm: 'sha256' | 'sha384' | 'sha512' | 'shake256', text: string): string {
  const hash = createHash(algorithm, algorithm === 'shake256' ? { outputLength: 64 } : {})
    .update(text)
    .digest();
  return hash.subarray(0, hash.length / 2).toString('base64url');
}
