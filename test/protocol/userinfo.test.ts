import { expect } from 'chai';
import type { JSONWebKeySet } from 'jose';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { type Answer, answerOf, eventually, expectError, postForm, readIdToken } from '../support/answers.ts';
import type { Browser, TokenBody } from '../support/browser.ts';
import { browser, logIn, refresh } from '../support/browser.ts';
import { onEachDatabase } from '../support/databases.ts';
import type { TestClient, TestServer, TestUser } from '../support/test-server.ts';
import { startTestServer } from '../support/test-server.ts';

const SCOPE = 'openid profile email address phone api:read';
const API = 'https://api.example/';
const ADDRESS = { formatted: '1 Sejong-daero\nSeoul', locality: 'Seoul', country: 'KR' };
const PROFILE = {
  given_name: 'Ada',
  family_name: 'Lovelace',
  middle_name: 'K.',
  nickname: 'ada',
  profile: 'https://ada.example/about',
  picture: 'https://ada.example/me.png',
  website: 'https://ada.example/',
  gender: 'female',
  birthdate: '1815-12-10',
  zoneinfo: 'Asia/Seoul',
  locale: 'ko-KR',
  updated_at: 1_700_000_000,
  email_verified: true,
  phone_number: '+82 2 1234 5678',
  address: ADDRESS,
};

onEachDatabase('userinfo endpoint (OpenID Connect Core section 5.3)', (database) => {
  let server: TestServer;
  let user: TestUser;
  let tab: Browser;
  before(async () => {
    server = await startTestServer(await database.create());
    user = await server.user({ name: 'Ada Lovelace', email: 'ada@example.com', profile: PROFILE });
    tab = browser(server);
  });
  after(() => server.close());

  async function loggedIn(
    scope = 'openid',
    metadata: Readonly<Record<string, unknown>> = {},
    parameters: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly client: TestClient; readonly tokens: TokenBody }> {
    const client = await server.client({ skip_consent: true, scope: SCOPE, ...metadata });
    return { client, tokens: await logIn(server, client, user, { scope, ...parameters }, tab) };
  }

  const ask = (authorization: string): Promise<Answer> => answerOf(server.get('/userinfo', { authorization }));

  async function told(tokens: TokenBody): Promise<Readonly<Record<string, unknown>>> {
    const { status, headers, body } = await ask(`Bearer ${tokens.access_token}`);
    expect({ status, type: headers.get('content-type'), cache: headers.get('cache-control') }).to.deep.equal({
      status: 200,
      type: 'application/json',
      cache: 'no-store',
    });
    return body;
  }

  describe('tells what the scope asks for (section 5.4), and the ID token does not', () => {
    const ofProfile = {
      name: 'Ada Lovelace',
      family_name: 'Lovelace',
      given_name: 'Ada',
      middle_name: 'K.',
      nickname: 'ada',
      profile: 'https://ada.example/about',
      picture: 'https://ada.example/me.png',
      website: 'https://ada.example/',
      gender: 'female',
      birthdate: '1815-12-10',
      zoneinfo: 'Asia/Seoul',
      locale: 'ko-KR',
      updated_at: 1_700_000_000,
    };
    const ofEmail = { email: 'ada@example.com', email_verified: true };
    const ofAddress = { address: ADDRESS };
    const ofPhone = { phone_number: '+82 2 1234 5678', phone_number_verified: false };
    for (const [module, scope, expected] of [
      ['openid alone', 'openid', {}],
      ['oidcc-scope-profile', 'openid profile', ofProfile],
      ['oidcc-scope-email', 'openid email', ofEmail],
      ['oidcc-scope-address', 'openid address', ofAddress],
      ['oidcc-scope-phone', 'openid phone', ofPhone],
      ['oidcc-scope-all', 'openid profile email address phone', { ...ofProfile, ...ofEmail, ...ofAddress, ...ofPhone }],
      ['oidcc-alternate-happy-flow', 'phone openid', ofPhone],
    ] as const) {
      it(`${scope} (${module})`, async () => {
        const { client, tokens } = await loggedIn(scope);
        const { preferred_username: username, ...rest } = await told(tokens);
        expect(username).to.equal(scope.includes('profile') ? user.username : undefined);
        expect(rest).to.deep.equal({ sub: user.id, ...expected });
        const { claims } = await readIdToken(server, client, tokens.id_token);
        expect(claims).not.to.have.any.keys('preferred_username', ...Object.keys({ ...ofProfile, ...ofEmail, ...ofAddress, ...ofPhone }));
      });
    }

    it('leaves out what is not known of the user', async () => {
      const bare = await server.user();
      const client = await server.client({ skip_consent: true, scope: SCOPE });
      const body = await told(await logIn(server, client, bare, { scope: SCOPE }));
      expect(body).to.have.all.keys('sub', 'preferred_username', 'updated_at');
    });

    it('tells what is known now, and not what was at login', async () => {
      const person = await server.user({ name: 'Before' });
      const client = await server.client({ skip_consent: true, scope: SCOPE });
      const tokens = await logIn(server, client, person, { scope: 'openid profile' });
      await server.repositories.users.setProfile(person.id, { nickname: 'after' }, server.clock.now());
      expect(await told(tokens)).to.include({ name: 'Before', nickname: 'after' });
    });

    it('tells less by a token of a narrower scope, and nothing that was taken from the client', async () => {
      const { client, tokens } = await loggedIn('openid email phone');
      const { body } = await refresh(server, client, tokens.refresh_token, { scope: 'openid email' });
      expect(await told(body)).to.deep.equal({ sub: user.id, ...ofEmail });
      await server.registration.update(client.id, { redirect_uris: ['https://app.example/callback'], scope: 'openid phone' });
      await eventually(async () => {
        expect(await told(tokens)).to.deep.equal({ sub: user.id, ...ofPhone });
      });
    });
  });

  it('takes the token in the header, by GET and POST, and in the body (oidcc-userinfo-get, -post-header, -post-body)', async () => {
    const { tokens } = await loggedIn();
    const authorization = `Bearer ${tokens.access_token}`;
    const form = new URLSearchParams({ access_token: tokens.access_token }).toString();
    const bare = fetch(`${server.issuer}/userinfo`, { method: 'POST', headers: { authorization } });
    const answers = [
      ask(authorization),
      // fapi2 access-token-type-header-case-sensitivity
      ask(`bearer ${tokens.access_token}`),
      answerOf(bare),
      postForm(server, '/userinfo', '', { authorization }),
      postForm(server, '/userinfo', form),
    ];
    for (const { status, body } of await Promise.all(answers)) {
      expect({ status, body }).to.deep.equal({ status: 200, body: { sub: user.id } });
    }
  });

  it('takes the access token of a login whatever resource it is meant for', async () => {
    const { tokens } = await loggedIn('openid email', { allowed_resources: [API] }, { resource: API });
    expect(await told(tokens)).to.include({ sub: user.id, email: 'ada@example.com' });
  });

  it('can be asked by a script of another origin', async () => {
    const { tokens } = await loggedIn();
    const headers = { origin: 'https://spa.example', authorization: `Bearer ${tokens.access_token}` };
    expect((await server.get('/userinfo', headers)).headers.get('access-control-allow-origin')).to.equal('*');
  });

  describe('answers with a signed JWT where the client is registered so (section 5.3.2, oidcc-userinfo-rs256)', () => {
    for (const alg of ['RS256', 'ES256']) {
      it(`by ${alg}`, async () => {
        const { client, tokens } = await loggedIn('openid email', { userinfo_signed_response_alg: alg });
        const response = await server.get('/userinfo', { authorization: `Bearer ${tokens.access_token}` });
        expect(response.headers.get('content-type')).to.equal('application/jwt');
        expect(response.headers.get('cache-control')).to.equal('no-store');
        const keys = createLocalJWKSet((await answerOf(server.get('/jwks'))).body as unknown as JSONWebKeySet);
        const { payload, protectedHeader } = await jwtVerify(await response.text(), keys);
        expect(protectedHeader.alg).to.equal(alg);
        expect(payload).to.deep.equal({
          sub: user.id,
          email: 'ada@example.com',
          email_verified: true,
          iss: server.issuer,
          aud: client.id,
        });
      });
    }
  });

  describe('refuses (RFC 6750 section 3.1)', () => {
    it('a request without a token, saying how to present one and no more', async () => {
      for (const given of [await answerOf(server.get('/userinfo')), await postForm(server, '/userinfo', ''), await ask('Basic YTpi')]) {
        expect({ status: given.status, challenge: given.headers.get('www-authenticate') }).to.deep.equal({
          status: 401,
          challenge: 'Bearer realm="userinfo"',
        });
      }
    });

    it('what is no access token of ours: another kind, another text, a changed one', async () => {
      const { tokens } = await loggedIn();
      const { access_token: token, refresh_token: refreshToken, id_token: idToken = '' } = tokens;
      const changed = `${token.slice(0, -6)}${token.endsWith('AAAAAA') ? 'BBBBBB' : 'AAAAAA'}`;
      for (const other of ['x', refreshToken, idToken, changed]) {
        await expectInvalidToken(ask(`Bearer ${other}`));
      }
    });

    it('a token that has expired', async () => {
      const { tokens } = await loggedIn('openid', { access_token_ttl: 60 });
      server.clock.advance(60);
      await expectInvalidToken(ask(`Bearer ${tokens.access_token}`));
    });

    it('a token that was revoked, itself or with its grant', async () => {
      for (const kind of ['access_token', 'refresh_token'] as const) {
        const { client, tokens } = await loggedIn();
        await told(tokens);
        await server.post('/revoke', { token: tokens[kind] }, client);
        await expectInvalidToken(ask(`Bearer ${tokens.access_token}`));
      }
    });

    it('a token of a user who was disabled, and of a client that was deleted', async () => {
      const person = await server.user();
      const client = await server.client({ skip_consent: true });
      const tokens = await logIn(server, client, person, { scope: 'openid' });
      await server.repositories.users.disable(person.id, server.clock.now());
      await expectInvalidToken(ask(`Bearer ${tokens.access_token}`));
      const other = await loggedIn();
      await server.repositories.clientStore.delete(other.client.id);
      await expectInvalidToken(ask(`Bearer ${other.tokens.access_token}`));
    });

    it('a token whose scope has no openid, and one of a client for itself', async () => {
      const { client, tokens } = await loggedIn('profile');
      const own = await answerOf(server.post('/token', { grant_type: 'client_credentials' }, client));
      for (const token of [tokens.access_token, String(own.body['access_token'])]) {
        const answer = await ask(`Bearer ${token}`);
        expectError(answer, 'insufficient_scope', 403);
        expect(answer.headers.get('www-authenticate')).to.match(/^Bearer .*error="insufficient_scope".*scope="openid"$/);
      }
    });

    it('a token in the address, and one sent in two ways', async () => {
      const { tokens } = await loggedIn();
      const form = new URLSearchParams({ access_token: tokens.access_token }).toString();
      expectError(await answerOf(server.get(`/userinfo?${form}`)), 'invalid_request');
      expectError(await postForm(server, '/userinfo', form, { authorization: `Bearer ${tokens.access_token}` }), 'invalid_request');
      expectError(await postForm(server, '/userinfo', `${form}&${form}`), 'invalid_request');
    });
  });
});

async function expectInvalidToken(answer: Answer | Promise<Answer>): Promise<void> {
  const given = await answer;
  expectError(given, 'invalid_token', 401);
  expect(given.headers.get('www-authenticate')).to.match(/^Bearer realm="userinfo", error="invalid_token", error_description="[^"]+"$/);
}
